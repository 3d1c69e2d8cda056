"""The client's address: what the outermost proxy of ours saw, whatever the client writes."""

from typing import Any

import pytest

from ecommerce.core.client_address import client_address, network_of

PEER = "9.9.9.9"


def seen(rf: Any, forwarded: str | None, peer: str = PEER) -> str:
    header = {} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded}
    return client_address(rf.get("/", REMOTE_ADDR=peer, **header))


@pytest.mark.parametrize(
    ("proxies", "forwarded", "expected"),
    [
        (0, "1.1.1.1", PEER),
        (1, "1.1.1.1, 2.2.2.2", "2.2.2.2"),
        (2, "1.1.1.1, 2.2.2.2", "1.1.1.1"),
        (2, "0.0.0.1, 1.1.1.1,2.2.2.2", "1.1.1.1"),
        (2, "2.2.2.2", PEER),
        (1, "2001:db8::1", "2001:db8::1"),
        (1, "2001:0DB8:0::1", "2001:db8::1"),
        (1, "::ffff:1.2.3.4", "1.2.3.4"),
        (1, None, PEER),
    ],
)
def test_the_address_is_what_the_outermost_proxy_of_ours_saw(
    proxies: int, forwarded: str | None, expected: str, rf: Any, settings: Any
) -> None:
    settings.TRUSTED_PROXIES = proxies
    assert seen(rf, forwarded) == expected


@pytest.mark.parametrize(
    "broken",
    [
        "", ",", ",,,,", " , ", "garbage", "1.2.3", "1.2.3.4.5", "999.1.1.1", "1.2.3.4:80",
        "[::1]", "fe80::1%eth0", "fe80::1%" + "x" * 5000, "\x00", "\u0661.2.3.4", "0x7f.1.1.1",
        "127.0.0.1\r\nX: y", "x" * 8000, "unknown", "for=1.2.3.4",
    ],
)  # fmt: skip
@pytest.mark.parametrize("proxies", [1, 2])
def test_a_broken_header_counts_as_none(broken: str, proxies: int, rf: Any, settings: Any) -> None:
    settings.TRUSTED_PROXIES = proxies
    assert seen(rf, broken) == PEER


def test_what_the_client_puts_in_front_changes_nothing(rf: Any, settings: Any) -> None:
    settings.TRUSTED_PROXIES = 1
    invented = [f"10.0.{n}.{n}" for n in range(250)]
    for number in range(1, 250):
        forwarded = ", ".join([*invented[:number], "203.0.113.5"])
        assert seen(rf, forwarded) == "203.0.113.5"
    assert seen(rf, "1.1.1.1," * 100_000 + "203.0.113.5") == "203.0.113.5"


@pytest.mark.parametrize(
    ("peer", "expected"),
    [("", "0.0.0.0"), ("@", "@"), ("x" * 90, "x" * 45), ("::ffff:1.2.3.4", "1.2.3.4")],
)
def test_a_peer_without_an_address_still_has_a_short_name(
    peer: str, expected: str, rf: Any
) -> None:
    assert seen(rf, None, peer) == expected


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::9", "2001:db8:1:3::/64"),
        ("", ""),
        ("@", "@"),
    ],
)
def test_addresses_that_one_customer_may_choose_from_are_one_place(
    address: str, network: str
) -> None:
    assert network_of(address) == network
