"""What an alert is: CAP 1.2's elements as frozen values (OASIS CAP-v1.2-os §3.2).

Names are CAP's, in snake_case.  Tuples keep document order.  Texts are stripped; an absent or empty element is
``""`` or ``()``.  ``extensions`` keep foreign elements (a ``ds:Signature`` too) as XML text, so that nothing is lost.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Time:
    """A CAP time: the text as the agency wrote it, and the instant (aware)."""

    text: str
    instant: datetime


@dataclass(frozen=True, slots=True)
class Pair:
    """``valueName`` and ``value`` of a code, parameter or geocode."""

    value_name: str
    value: str


@dataclass(frozen=True, slots=True)
class Reference:
    """One ``sender,identifier,sent`` triplet of ``references``."""

    sender: str
    identifier: str
    sent: Time


@dataclass(frozen=True, slots=True)
class Circle:
    """A circle; the radius is in kilometres (§3.2.4)."""

    lat: float
    lon: float
    radius_km: float
    text: str


@dataclass(frozen=True, slots=True)
class Polygon:
    """A ring of WGS-84 (latitude, longitude) pairs as the agency wrote them; the last pair equals the first.

    Longitudes are kept as written (a ring over the antimeridian may use values beyond ±180);
    ``relay.cap.area`` turns rings into normalised pieces for matching.
    """

    points: tuple[tuple[float, float], ...]
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Area:
    """One ``<area>``: where."""

    area_desc: str
    polygons: tuple[Polygon, ...] = ()
    circles: tuple[Circle, ...] = ()
    geocodes: tuple[Pair, ...] = ()
    altitude: str = ""
    ceiling: str = ""
    extensions: tuple[str, ...] = ()

    @property
    def has_geometry(self) -> bool:
        """Whether a place can be compared with this area at all."""
        return bool(self.polygons or self.circles or self.geocodes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """One ``<resource>``: kept and passed on, never fetched."""

    resource_desc: str
    mime_type: str
    size: str = ""
    uri: str = ""
    deref_uri: str = ""
    digest: str = ""
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Info:
    """One ``<info>``: what, in one language.

    ``language`` is as written; empty means CAP's default ``en-US`` (§3.2.2).
    """

    language: str = ""
    category: tuple[str, ...]
    event: str
    response_type: tuple[str, ...] = ()
    urgency: str
    severity: str
    certainty: str
    audience: str = ""
    event_code: tuple[Pair, ...] = ()
    effective: Time | None = None
    onset: Time | None = None
    expires: Time | None = None
    sender_name: str = ""
    headline: str = ""
    description: str = ""
    instruction: str = ""
    web: str = ""
    contact: str = ""
    parameter: tuple[Pair, ...] = ()
    resource: tuple[Resource, ...] = ()
    area: tuple[Area, ...] = ()
    extensions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One ``<alert>``; the identity of the message is (sender, identifier, sent)."""

    identifier: str
    sender: str
    sent: Time
    status: str
    msg_type: str
    source: str = ""
    scope: str
    restriction: str = ""
    addresses: tuple[str, ...] = ()
    code: tuple[str, ...] = ()
    note: str = ""
    references: tuple[Reference, ...] = ()
    incidents: tuple[str, ...] = ()
    info: tuple[Info, ...] = ()
    extensions: tuple[str, ...] = ()
