"""Changes that could not be said when they were made: no read misses them once they can be."""

from datetime import timedelta
from typing import Any

import pytest

from catalog.documents import ProductRow
from catalog.services import ProductService
from ecommerce.core import conditional
from ecommerce.core.response_cache import topics
from tests.core.wsgi_calls import Calls, Sent, found


@pytest.fixture(autouse=True)
def _as_deployed(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The caches are on; what was just made has its last headers already."""
    settings.RESPONSE_CACHE = "full"
    monkeypatch.setattr(conditional, "_SETTLED", timedelta(0))


def test_a_read_while_a_late_change_is_said_keeps_no_old_answer(
    lamp: ProductRow, both: Calls, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The write was answered while its change could not be said, so no read may miss it now."""
    path = f"/products/{lamp['_id']}"
    store, between = topics._set, list[Sent]()

    def store_after_a_read(values: dict[str, bytes], seconds: float) -> bool:
        if not between:
            between.append(both(path))
        return store(values, seconds)

    for _ in range(2):
        both(path)
    with monkeypatch.context() as refusing:
        refusing.setattr(topics, "_done", lambda _: False)
        ProductService.update(product_id=str(lamp["_id"]), changes={"name": "Renamed"})
    monkeypatch.setattr(topics, "_set", store_after_a_read)
    assert b'"name":"Renamed"' in both(path)[2]
    assert b'"name":"Renamed"' in between[0][2]
    assert found(lambda: both(path)) == {"shared": 1}, "and it is kept again"
