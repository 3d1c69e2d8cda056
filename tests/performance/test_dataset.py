"""The data of the benchmark: its addresses lead where its rows say."""

import pytest

from benchmarks.dataset import _page_address
from demo.seeding import seed_products
from tests.client import ApiClient


@pytest.mark.parametrize("number", [1, 2, 6, 8])
def test_the_address_of_a_page_leads_to_that_page(number: int, anyone: ApiClient) -> None:
    seed_products(180, seed=1)
    first = anyone.get("/products/?limit=100")
    rest = anyone.get(first["next"].partition("testserver")[2])
    ids = [item["id"] for item in first["items"] + rest["items"]]
    page = anyone.get(_page_address(number))
    assert [item["id"] for item in page["items"]] == ids[20 * (number - 1) : 20 * number]
