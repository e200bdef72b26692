"""A neighbour relay from outside: a webhook with ``format = "cap"`` gets CAP that any CAP system can read."""

from __future__ import annotations

from pathlib import Path
from xml.etree import ElementTree as ET

from tests.acceptance.black_box import stage
from tests.acceptance.black_box_alerts import alert, info, person, xml
from tests.acceptance.black_box_receivers import Call

CAP = "{urn:oasis:names:tc:emergency:cap:1.2}"


async def test_cap_goes_out_as_cap(tmp_path: Path) -> None:
    """An agency's XML leaves byte for byte; what was posted as JSON leaves as CAP XML; it left as JSON called XML."""
    channels = {"peer": {"adapter": "webhook", "settings": {"format": "cap"}}}
    async with stage(tmp_path, channels=channels) as made:
        await made.client.told(person("peer", made.hooks.to("peer")))
        written = xml(alert("xml", info(language="ru", headline="Сель")), encoding="windows-1251")
        posted = await made.client.post_xml(written)
        await made.client.end(posted.body["id"])
        as_json = await made.client.post(alert("json", info(language="ru", headline="Сель & град")))
        await made.client.end(as_json.body["id"])
        again = await made.client.post_xml(made.hooks.calls[1].raw)
    first, second = made.hooks.calls

    assert first.raw == written
    assert (_text(second, "identifier"), _text(second, f"info/{CAP}headline")) == ("json", "Сель & град")
    assert second.signed
    assert (again.status, again.body["id"]) == (200, as_json.body["id"])


def _text(call: Call, path: str) -> str | None:
    return ET.fromstring(call.raw).findtext(f"{CAP}{path}")  # noqa: S314 - made by the relay, in a test
