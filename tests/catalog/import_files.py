"""Files of products, sent and worked on as one who waits for them does."""

from collections.abc import Callable
from threading import Event
from typing import Any

from catalog.documents import Product
from catalog.importing.jobs import work_on_imports
from ecommerce.core.mongo import collection
from tests.client import Answer, Person

PATH = "/products/imports"
HEADER = b"Handle,Title,Variant SKU,Variant Inventory Qty,Variant Price\n"
AB = b'{"name":"A","price":5},{"name":"B","price":5}'
FOREVER: Callable[[], bool] = lambda: False  # noqa: E731


def send(person: Person, raw: bytes, kind: str = "text/csv", query: str = "") -> Answer:
    return person.api.send("POST", PATH + query, raw=raw, content_type=kind)


def form(*files: tuple[str, str, bytes]) -> tuple[bytes, str]:
    """A multipart body of (field, file name, content), and its content type."""
    parts = [
        f'--edge\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n\r\n'
        .encode() + content + b"\r\n"
        for field, name, content in files
    ]  # fmt: skip
    return b"".join(parts) + b"--edge--\r\n", "multipart/form-data; boundary=edge"


def done(person: Person, accepted: Answer) -> Any:
    """The job of this answer, after everything that waits has been worked on."""
    assert accepted.status == 202, accepted.body
    work_on_imports(Event())
    return person.api.get(f"{PATH}/{accepted['id']}").json()


def counts(job: Any) -> tuple[int, ...]:
    """Created, updated, unchanged, failed."""
    return tuple(job[name] for name in ("created", "updated", "unchanged", "failed"))


def rows(person: Person, job: Any, query: str = "") -> list[Any]:
    found: list[Any] = person.api.get(f"{PATH}/{job['id']}/rows{query}")["items"]
    return found


def names() -> list[str]:
    return sorted(row["name"] for row in collection(Product).find({}))


def lines(*skus: str, price: str = "5") -> bytes:
    return HEADER + b"".join(f"{sku.lower()},{sku},{sku},1,{price}\n".encode() for sku in skus)
