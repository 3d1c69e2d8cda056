"""A serializer that is used again validates as a new one does, and remembers nothing."""

import threading
from typing import Any

import pytest
from rest_framework import serializers

from carts.serializers import AddInput, CartInput
from catalog.serializers import ProductQuery
from ecommerce.core.reusable_serializers import serializer_for
from ecommerce.core.serializers import StrictSerializer

ID = "0" * 24
BODIES: list[tuple[type[StrictSerializer], Any]] = [
    (AddInput, {"product_id": ID, "quantity": 2, "note": "for Ann"}),
    (AddInput, {"product_id": ID, "quantity": 1}),
    (AddInput, {"product_id": "x", "quantity": 0, "extra": 1}),
    (AddInput, {"items": [{"product_id": ID, "quantity": 1}]}),
    (AddInput, [1]),
    (AddInput, None),
    (CartInput, {"items": [{"product_id": ID, "quantity": 1}]}),
    (CartInput, {}),
]


def outcome(serializer: StrictSerializer) -> Any:
    """What the data are, or all that is wrong with them."""
    try:
        serializer.is_valid(raise_exception=True)
    except serializers.ValidationError as fault:
        return fault.get_full_details()
    return dict(serializer.validated_data)


@pytest.mark.parametrize("order", [1, -1])
def test_it_says_what_a_new_one_says_whatever_it_has_seen_before(order: int) -> None:
    for kind, body in (BODIES * 2)[::order]:
        with serializer_for(kind, body) as serializer:
            assert outcome(serializer) == outcome(kind(data=body))


def test_what_is_filled_in_is_nobody_elses() -> None:
    for _ in range(2):
        with serializer_for(CartInput, {}) as serializer:
            found = outcome(serializer)
        assert found["items"] == []
        found["items"].append("mine")


def test_nothing_of_a_request_stays() -> None:
    with serializer_for(AddInput, BODIES[0][1], {"request": "r"}) as serializer:
        assert serializer.context == {"request": "r"}
        outcome(serializer)
    with pytest.raises(AttributeError):
        _ = serializer.initial_data
    assert serializer.context == {}
    assert "for Ann" not in repr(vars(serializer))


def test_one_in_use_is_given_to_nobody_else() -> None:
    with serializer_for(AddInput, {}) as outer, serializer_for(AddInput, {}) as inner:
        assert outer is not inner
    seen = []

    def in_another_thread() -> None:
        with serializer_for(AddInput, {}) as theirs:
            seen.append(theirs)

    thread = threading.Thread(target=in_another_thread)
    thread.start()
    thread.join()
    with serializer_for(AddInput, {}) as ours:
        assert ours is not seen[0]


def test_it_is_the_same_one_the_next_time_even_after_a_fault() -> None:
    with serializer_for(ProductQuery, {}) as first:
        pass
    with pytest.raises(ZeroDivisionError), serializer_for(ProductQuery, {}) as second:
        raise ZeroDivisionError
    assert first is second
