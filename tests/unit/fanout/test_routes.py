"""Which channel carries a delivery."""

import pytest

from relay.adapter import Kind
from relay.fanout.routes import Route, Routes


def route(
    name: str, *, kind: Kind = Kind.SMS, order: int = 10, lanes: str = "live", match: tuple[str, ...] = ()
) -> Route:
    return Route(name=name, kind=kind, order=order, live="live" in lanes, drill="drill" in lanes, match=match)


def chosen(routes: Routes, address: str = "+77010000001", *, kind: Kind = Kind.SMS, drill: bool = False) -> str:
    found = routes.candidates(kind, address, drill=drill)
    return found[0].name if found else ""


def test_operators_order_counts() -> None:
    """The lowest order comes first, whatever the order in the file; names decide between equals."""
    routes = Routes([route("c", order=20), route("b", order=5), route("a", order=5)])

    assert chosen(routes) == "a"


@pytest.mark.parametrize(
    ("address", "name"),
    [("+77010000001", "kz"), ("+79010000001", "kz"), ("+99655500000", "kg"), ("+35312345678", "world")],
)
def test_address_prefix(address: str, name: str) -> None:
    """The first channel whose prefix fits; one without prefixes takes everybody."""
    routes = Routes([route("world", order=30), route("kz", match=("+77", "+79")), route("kg", match=("+996",))])

    assert chosen(routes, address) == name


def test_kinds_do_not_meet() -> None:
    """A delivery of one kind is never carried by a channel of another."""
    routes = Routes([route("mail", kind=Kind.EMAIL)])

    assert chosen(routes) == ""
    assert chosen(routes, "duty@rescue.example", kind=Kind.EMAIL) == "mail"


def test_drills_have_their_own_lane() -> None:
    """A drill goes through drill channels only, a real alert through live ones only."""
    routes = Routes(
        [route("live"), route("drill", lanes="drill", order=1), route("both", lanes="live drill", order=40)]
    )

    assert (chosen(routes), chosen(routes, drill=True)) == ("live", "drill")
    assert chosen(Routes([route("live")]), drill=True) == ""
    assert chosen(Routes([route("drill", lanes="drill")])) == ""


def test_nobody_fits() -> None:
    """No fitting channel is said so; the delivery is not sent by another way."""
    assert chosen(Routes([route("kg", match=("+996",))])) == ""
    assert chosen(Routes([])) == ""
