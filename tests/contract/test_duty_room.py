"""The operators' pages, put together from the services of a node."""

from __future__ import annotations

from pathlib import Path

from relay.duty_room import DutyRoom
from relay.intake.authority import Role
from relay.store.connection import Connection
from tests.contract.node_side import api_node


async def test_link_signs_the_administrator_in_once(redis: Connection, tmp_path: Path) -> None:
    """The link of the terminal is good for one browser; each start prints another."""
    async with api_node(redis, tmp_path) as node:
        room = DutyRoom(node.services)
        links = {room.sign_in_path(), room.sign_in_path()}

        assert len(links) == 2
        assert all(link.startswith("/status?once=") for link in links)


async def test_without_an_administrator_there_is_no_link(redis: Connection, tmp_path: Path) -> None:
    """A revoked key opens nothing."""
    async with api_node(redis, tmp_path) as node:
        known = node.services.register.keys()
        for key in known:
            if key.role is Role.ADMIN:
                node.services.register.revoke(key.key_id)

        assert DutyRoom(node.services).sign_in_path() == ""


async def test_page_shows_what_the_api_shows(redis: Connection, tmp_path: Path) -> None:
    """The page and the JSON are the same truth."""
    async with api_node(redis, tmp_path) as node:
        await node.catch_up()
        await node.post(node.xml("a-1"))
        status = await DutyRoom(node.services)._status()

        assert [alert["identifier"] for alert in status["alerts"]] == ["a-1"]
