"""Hypothesis strategies for alerts: anything that the model can hold and a reader would accept."""

from __future__ import annotations

import string
from datetime import datetime, timedelta, timezone

from hypothesis import strategies as st

from relay.cap.characters import odd_character
from relay.cap.enumerations import VALUES
from relay.cap.model import Alert, Area, Circle, Info, Pair, Polygon, Reference, Resource, Time

_LETTERS = st.characters(codec="utf-8", exclude_categories=["Cs", "Cc", "Cn"]) | st.sampled_from("\n\t\r&<>\"']")
texts = st.text(_LETTERS, max_size=12).map(str.strip).filter(lambda text: odd_character(text) is None)
some_text = texts.filter(bool)
names = st.text(string.ascii_letters + string.digits + "@.-_:/", min_size=1, max_size=20).filter(
    lambda name: name.strip(".")
)
quotable = st.text("абвgh 1", min_size=1, max_size=8).map(str.strip).filter(bool)


@st.composite
def times(draw: st.DrawFn) -> Time:
    minutes = draw(st.integers(-14 * 60, 14 * 60))
    moment = datetime(1971, 1, 1, tzinfo=timezone(timedelta(minutes=minutes)))
    instant = moment + timedelta(seconds=draw(st.integers(0, 7_000_000_000)))
    return Time(instant.isoformat(), instant)


pairs = st.builds(Pair, some_text, texts)
full_pairs = st.builds(Pair, some_text, some_text)
references = st.builds(Reference, names, names.map(lambda name: "r" + name), times())
_numbers = st.floats(-90, 90, allow_nan=False).map(lambda number: round(number, 4) + 0.0)


def _ring(points: list[tuple[float, float]]) -> Polygon:
    ring = (*points, points[0])
    return Polygon(ring, " ".join(f"{lat:.4f},{lon:.4f}" for lat, lon in ring))


polygons = st.lists(st.tuples(_numbers, _numbers), min_size=3, max_size=6, unique=True).map(_ring)
circles = st.builds(
    lambda lat, lon, radius: Circle(lat, lon, radius, f"{lat:.4f},{lon:.4f} {radius:.1f}"),
    _numbers,
    _numbers,
    st.integers(0, 2000).map(float),
)
extensions = st.lists(
    st.sampled_from(
        ['<x xmlns="urn:x" a="&quot;&#10;">y &amp; z</x>', '<s:n xmlns="" xmlns:s="urn:s"><s:m></s:m>\n </s:n>']
    ),
    max_size=2,
).map(tuple)


def _words(name: str) -> st.SearchStrategy[str]:
    return st.sampled_from(VALUES[name])


areas = st.builds(
    Area,
    area_desc=some_text,
    polygons=st.lists(polygons, max_size=2).map(tuple),
    circles=st.lists(circles, max_size=2).map(tuple),
    geocodes=st.lists(full_pairs, max_size=2).map(tuple),
    altitude=st.sampled_from(["", "12", "-3.5"]),
    ceiling=st.just(""),
    extensions=extensions,
)
resources = st.builds(
    Resource,
    resource_desc=some_text,
    mime_type=some_text,
    size=texts,
    uri=names,
    deref_uri=st.just(""),
    digest=texts,
)
infos = st.builds(
    Info,
    language=st.sampled_from(["", "ru", "kk", "uz-Latn"]),
    category=st.lists(_words("category"), min_size=1, max_size=3).map(tuple),
    event=some_text,
    response_type=st.lists(_words("responseType"), max_size=2).map(tuple),
    urgency=_words("urgency"),
    severity=_words("severity"),
    certainty=_words("certainty"),
    audience=texts,
    event_code=st.lists(pairs, max_size=2).map(tuple),
    effective=st.none() | times(),
    onset=st.none() | times(),
    expires=st.none() | times(),
    sender_name=texts,
    headline=texts,
    description=texts,
    instruction=texts,
    web=texts,
    contact=texts,
    parameter=st.lists(pairs, max_size=2).map(tuple),
    resource=st.lists(resources, max_size=1).map(tuple),
    area=st.lists(areas, max_size=2).map(tuple),
    extensions=extensions,
)
alerts = st.builds(
    Alert,
    identifier=names,
    sender=names,
    sent=times(),
    status=st.sampled_from(["Actual", "Exercise", "System", "Test"]),
    msg_type=_words("msgType"),
    source=texts,
    scope=st.just("Public"),
    restriction=st.just(""),
    addresses=st.lists(quotable, max_size=3).map(tuple),
    code=st.lists(some_text, max_size=2).map(tuple),
    note=texts,
    references=st.lists(references, max_size=2).map(tuple),
    incidents=st.lists(quotable, max_size=2).map(tuple),
    info=st.lists(infos, min_size=1, max_size=2).map(tuple),
    extensions=extensions,
)
