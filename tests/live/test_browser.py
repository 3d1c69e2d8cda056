"""A person in a real browser: the browsable interface and the docs, without any network."""

import re
import shutil
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from selenium import webdriver
from selenium.common.exceptions import NoSuchElementException, StaleElementReferenceException
from selenium.webdriver.common.by import By
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

from tests.live.conftest import missing
from tests.live.server import LiveServer

pytestmark = pytest.mark.browser

ARGUMENTS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--window-size=1200,1400",
)  # fmt: skip


class Browser:
    """Chromium at the pages of one server."""

    def __init__(self, driver: webdriver.Chrome, base: str) -> None:
        self.driver = driver
        self._base = base

    def open(self, path: str) -> None:
        """Go to a page."""
        self.driver.get(self._base + path)

    def find(self, css: str) -> WebElement:
        """The first element, as soon as it is there to see."""
        return self._wait().until(lambda driver: self._shown(driver, css))

    def _shown(self, driver: Any, css: str) -> WebElement | Literal[False]:
        found = [e for e in driver.find_elements(By.CSS_SELECTOR, css) if e.is_displayed()]
        return found[0] if found else False

    def fill(self, **fields: str) -> None:
        """Type into the fields of the visible form."""
        for name, text in fields.items():
            field = self.find(f"[name={name}]")
            field.clear()
            field.send_keys(text)

    def press(self, css: str) -> None:
        """Click, wherever on the page it is."""
        element = self.find(css)
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        element.click()

    def follow(self, text: str) -> None:
        """Click the link with this text."""
        link = self._wait().until(lambda driver: driver.find_element(By.LINK_TEXT, text))
        self.driver.execute_script("arguments[0].click()", link)

    def log_in(self, username: str, password: str) -> None:
        """From any page of the browsable interface."""
        self.follow("Log in")
        self.fill(username=username, password=password)
        self.press("button[type=submit]")

    def log_out(self) -> None:
        """From the menu at the top right."""
        self.press(".navbar .dropdown-toggle")
        self.press("#logoutForm button")
        self.until("Log in")  # the next page must not come before the log-out has gone out

    def until(self, text: str) -> str:
        """The page's answer, as soon as it holds this text."""

        def body(driver: Any) -> str | Literal[False]:
            shown: str = driver.find_element(By.TAG_NAME, "body").text
            return shown if text in shown else False

        return self._wait().until(body)

    def _wait(self) -> WebDriverWait[webdriver.Chrome]:
        """While a page gives way to the next, its elements go stale: then look again."""
        passing = [StaleElementReferenceException, NoSuchElementException]
        return WebDriverWait(self.driver, 15, ignored_exceptions=passing)


@pytest.fixture
def browser(embedded: LiveServer) -> Iterator[Browser]:
    """A fresh Chromium."""
    binaries = {name: shutil.which(name) for name in ("chromium", "chromedriver")}
    if not all(binaries.values()):
        missing("Chromium not found: apt-get install chromium chromium-driver")
    options = webdriver.ChromeOptions()
    options.binary_location = binaries["chromium"] or ""
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for argument in ARGUMENTS:
        options.add_argument(argument)
    service = webdriver.ChromeService(binaries["chromedriver"])
    with webdriver.Chrome(options=options, service=service) as driver:
        yield Browser(driver, embedded.base)


def test_staff_adds_a_product_and_a_customer_puts_it_into_a_cart(browser: Browser) -> None:
    browser.open("/")
    browser.press("a[href='/products/']")
    browser.log_in("staff", "staff-shop-2026")
    browser.fill(name="Browser lamp", price="12.50", quantity="7")
    browser.press("form[enctype] button.btn-primary")
    page = browser.until("HTTP 201 Created")
    found = re.search(r'"id": "([0-9a-f]{24})"', page)
    assert found is not None
    product = found[1]
    browser.log_out()

    browser.open("/shopping-carts/")
    browser.until("HTTP 401 Unauthorized")
    browser.log_in("demo", "demo-shop-2026")
    browser.until('"items": []')
    browser.press("form[enctype] button.btn-primary")
    browser.until("HTTP 201 Created")
    browser.follow("Add an item")
    browser.fill(product_id=product, quantity="3")
    browser.press("form[enctype] button.btn-primary")
    page = browser.until('"subtotal": 37.5')
    assert '"total_quantity": 3' in page

    browser.follow("Browser lamp")
    browser.fill(quantity="9")
    browser.press("form[enctype] button.btn-primary")
    assert "Only 7 of this product are left." in browser.until("HTTP 409 Conflict")


def test_a_form_to_replace_a_product_starts_with_what_is_there(browser: Browser) -> None:
    browser.open("/products/")
    browser.log_in("staff", "staff-shop-2026")
    first = browser.find("#content p a")
    name = first.text
    first.click()
    browser.until("Product Instance")
    assert browser.find("[name=name]").get_attribute("value") == name
    browser.fill(price="3.25")
    browser.press("form[enctype] button.btn-primary")
    page = browser.until("HTTP 200 OK")
    browser.until('"price": 3.25')
    assert f'"name": "{name}"' in page


def test_wrong_input_is_shown_at_its_field(browser: Browser) -> None:
    browser.open("/products/")
    browser.log_in("staff", "staff-shop-2026")
    browser.fill(name="Lamp", price="a lot")
    browser.press("form[enctype] button.btn-primary")
    page = browser.until("HTTP 400 Bad Request")
    assert "A price is a number such as 19.99" in page


def test_authorize_in_the_docs_signs_in(browser: Browser) -> None:
    browser.open("/docs")
    browser.press("button.authorize")
    username = browser.find("#oauth_username")
    assert browser.driver.switch_to.active_element == username, "it would be scrolled away"
    username.send_keys("demo")
    browser.find("#oauth_password").send_keys("demo-shop-2026")
    browser.press(".auth-btn-wrapper button.authorize")
    browser.until("Logout")
    browser.press(".btn-done")
    browser.press("#operations-shopping-carts-list_carts button")
    browser.press("#operations-shopping-carts-list_carts .execute")
    answer = browser.find("#operations-shopping-carts-list_carts .live-responses-table")
    WebDriverWait(browser.driver, 15).until(lambda _: '"items"' in answer.text)
    assert "200" in answer.text


@pytest.mark.parametrize("path", ["/", "/docs", "/redoc", "/products/", "/auth/login"])
def test_no_page_asks_another_host_or_complains(path: str, browser: Browser) -> None:
    browser.open(path)
    browser.until("Products" if path == "/products/" else "")
    loaded = browser.driver.execute_script(
        "return performance.getEntriesByType('resource').map(entry => entry.name)"
    )
    foreign = [url for url in loaded if not url.startswith(("http://127.0.0.1:", "data:", "blob:"))]
    assert foreign == []
    log: list[dict[str, str]] = browser.driver.get_log("browser")  # type: ignore[no-untyped-call]
    severe = [entry for entry in log if entry["level"] == "SEVERE"]
    # ReDoc asks for its maker's logo, and is not given it.
    assert [entry for entry in severe if "cdn.redoc.ly" not in entry["message"]] == []
