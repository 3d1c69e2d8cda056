"""The base of viewsets: an action that a view forgets to name a rule for is open to nobody."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from accounts.rules import ANYONE, SIGNED_IN
from ecommerce.core.viewsets import ShopViewSet


class Careless(ShopViewSet):
    """Names a rule for one of its two actions."""

    rules = {"list": ANYONE}


class Silent(ShopViewSet):
    """Names none."""


def test_a_named_action_has_its_rule() -> None:
    assert list(Careless(action="list").get_permissions()) == [ANYONE]


def test_a_forgotten_action_is_an_error_and_not_open_to_whoever_is_signed_in() -> None:
    with pytest.raises(ImproperlyConfigured, match="Careless names no rule for destroy"):
        Careless(action="destroy").get_permissions()


def test_a_view_without_rules_is_for_users() -> None:
    assert list(Silent(action="list").get_permissions()) == [SIGNED_IN]
