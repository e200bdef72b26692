"""Bodies: content coding, size, media type and charset (bad inputs, classes B and C)."""

from __future__ import annotations

import asyncio
import gzip
import zlib
from collections.abc import AsyncIterator

import pytest

from tests.integration.api.house import House, alert_json, alert_xml

pytestmark = pytest.mark.asyncio(loop_scope="module")


def corrupt(data: bytes) -> bytes:
    """Return gzip data with one wrong byte in its trailer."""
    packed = bytearray(gzip.compress(data))
    packed[-6] ^= 0xFF
    return bytes(packed)


@pytest.mark.parametrize("coding", ["gzip, gzip", "foo", "br", "zstd", "deflate", "compress"])
async def test_only_gzip_is_undone(house: House, coding: str) -> None:
    """Any other content coding, and a doubled one, is 415 (BI-039, 040, 041)."""
    got = await house.post(alert_xml("c-1"), Content_Encoding=coding)

    assert (got.status, got.slug) == (415, "unsupported-content-encoding")


@pytest.mark.parametrize("coding", ["identity", "GZIP", " gzip "])
async def test_gzip_in_any_case_is_undone(house: House, coding: str) -> None:
    """Identity and gzip are accepted however they are written (BI-045)."""
    body = alert_xml(f"gz{len(coding)}")
    got = await house.post(gzip.compress(body) if "gzip" in coding.lower() else body, Content_Encoding=coding)

    assert got.status == 202


@pytest.mark.parametrize(
    "body",
    [
        corrupt(b"<alert/>"),
        gzip.compress(b"a", mtime=0) + gzip.compress(b"b", mtime=0),
        gzip.compress(b"a", mtime=0) + b"junk",
        b"plain",
        gzip.compress(b"abc", mtime=0)[:-4],
    ],
    ids=["BI-042 corrupt", "BI-044 two members", "BI-044 junk", "not gzip", "cut short"],
)
async def test_damaged_gzip_is_a_bad_request(house: House, body: bytes) -> None:
    """Damaged gzip data is 400, never a fault of ours."""
    got = await house.post(body, Content_Encoding="gzip")

    assert (got.status, got.slug) == (400, "bad-content-encoding")


async def test_a_bomb_is_not_inflated(house: House) -> None:
    """What inflates beyond the limit is 413."""
    bomb = gzip.compress(bytes(64 * 1024 * 1024), 9)
    got = await house.post(bomb, Content_Encoding="gzip")

    assert (got.status, got.slug) == (413, "body-too-large")


async def test_the_body_is_bounded(house: House) -> None:
    """One byte more than the limit is 413, with a length and without (BI-046)."""
    limit = house.services.settings.cap.max_bytes
    got = await house.post(b" " * (limit + 1))

    async def chunks() -> AsyncIterator[bytes]:
        for _ in range(limit // 65536 + 1):
            yield b" " * 65536

    headers = {"Authorization": f"Bearer {house.keys['meteo']}", "Content-Type": "application/cap+xml"}
    async with house.http.post(house.url("/v1/alerts"), data=chunks(), headers=headers) as streamed:
        assert streamed.status == 413

    assert (got.status, got.slug) == (413, "body-too-large")


@pytest.mark.parametrize("body", [b"", b"   \n", b"\xef\xbb\xbf"], ids=["nothing", "spaces", "BOM"])
async def test_an_empty_body_is_no_alert(house: House, body: bytes) -> None:
    """Nothing at all is malformed in either format (BI-047)."""
    xml = await house.ask("POST", "/v1/alerts", who="meteo", body=body, Content_Type="application/xml")
    json = await house.ask("POST", "/v1/alerts", who="meteo", body=body, Content_Type="application/json")

    assert (xml.status, xml.slug) == (400, "malformed-xml")
    assert (json.status, json.slug) == (400, "malformed-json")


async def test_a_body_must_say_what_it_is(house: House) -> None:
    """Without Content-Type a post is 415 (BI-049)."""
    key = house.keys["meteo"].encode()
    got = await house.raw(
        b"POST /v1/alerts HTTP/1.1\r\nHost: relay\r\nConnection: close\r\nAuthorization: Bearer "
        + key
        + b"\r\nContent-Length: 8\r\n\r\n<alert/>"
    )

    assert got.startswith(b"HTTP/1.1 415 ")
    assert b"unsupported-media-type" in got


@pytest.mark.parametrize("media", ["text/plain", "multipart/form-data; boundary=x", "application/cap", "x", "*/*"])
async def test_other_media_types_are_refused(house: House, media: str) -> None:
    """What a foreign page could make a browser send is 415 (BI-050)."""
    got = await house.post(alert_xml("m-1"), Content_Type=media)

    assert (got.status, got.slug) == (415, "unsupported-media-type")


async def test_curl_d_is_told_what_to_write(house: House) -> None:
    """``curl -d`` gets the command that works, in the reader's language."""
    english = await house.post(alert_xml("m-2"), Content_Type="application/x-www-form-urlencoded")
    russian = await house.post(alert_xml("m-2"), Content_Type="application/x-www-form-urlencoded", Accept_Language="ru")

    assert english.status == 415
    assert english.json["title"] == "We need the file as it is"
    assert "--data-binary" in english.json["detail"]
    assert russian.json["title"] == "Нужен файл без изменений"


async def test_the_media_type_is_believed(house: House) -> None:
    """XML that is said to be JSON is malformed JSON, and the reverse (BI-051)."""
    xml_as_json = await house.post(alert_xml("m-3"), Content_Type="application/json")
    json_as_xml = await house.ask("POST", "/v1/alerts", who="meteo", body=alert_json("m-3"), Content_Type="text/xml")

    assert (xml_as_json.status, xml_as_json.slug) == (400, "malformed-json")
    assert (json_as_xml.status, json_as_xml.slug) == (400, "malformed-xml")


@pytest.mark.parametrize("charset", ["utf-7", "ibm037", "x-unknown"])
async def test_strange_charsets_are_refused(house: House, charset: str) -> None:
    """A charset that expat does not read safely is 415 (BI-052)."""
    got = await house.post(alert_xml("m-4"), Content_Type=f"application/cap+xml; charset={charset}")

    assert (got.status, got.slug) == (415, "unsupported-charset")


async def test_two_content_types_are_ambiguous(house: House) -> None:
    """Two Content-Type headers are 400 (BI-054)."""
    key = house.keys["meteo"].encode()
    got = await house.raw(
        b"POST /v1/alerts HTTP/1.1\r\nHost: relay\r\nConnection: close\r\nAuthorization: Bearer "
        + key
        + b"\r\nContent-Type: text/xml\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
    )

    assert b" 400 " in got.splitlines()[0]


async def test_many_parameters_do_no_harm(house: House) -> None:
    """500 parameters of a media type are read or refused, not choked on (BI-055)."""
    got = await house.post(alert_xml("m-5"), Content_Type="application/cap+xml" + "; a=b" * 500)

    assert got.status in (202, 400, 415)


async def test_accept_does_not_matter_for_a_post(house: House) -> None:
    """A client that only takes HTML is told in JSON all the same (BI-056)."""
    got = await house.post(alert_xml("m-6"), Accept="text/html")

    assert got.status == 202
    assert got.headers["Content-Type"].startswith("application/json")


async def test_a_slow_line_is_served(house: House) -> None:
    """A body that takes longer than the time-out is accepted while it comes with 1 KiB a second."""
    body = alert_xml("slow-1", extra=f"<note>{'x' * 6000}</note>")

    async def slowly() -> AsyncIterator[bytes]:
        for start in range(0, len(body), 1500):
            yield body[start : start + 1500]
            await asyncio.sleep(0.4)

    headers = {"Authorization": f"Bearer {house.keys['meteo']}", "Content-Type": "application/cap+xml"}
    async with house.http.post(house.url("/v1/alerts"), data=slowly(), headers=headers) as got:
        assert got.status == 202


async def test_a_raw_deflate_stream_is_no_gzip(house: House) -> None:
    """A zlib stream that is called gzip is damaged gzip."""
    got = await house.post(zlib.compress(alert_xml("z-1")), Content_Encoding="gzip")

    assert (got.status, got.slug) == (400, "bad-content-encoding")
