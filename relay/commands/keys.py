"""``relay keys``: who may post, watch and decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import quote

import typer

from relay.commands.failures import Failed
from relay.commands.options import Json, options_of
from relay.commands.terminal import Sheet, clean, note, raw, say, show

app = typer.Typer(help="Keys: create, list, revoke.", no_args_is_help=True, rich_markup_mode=None)

_LONGEST_PATH = 250
"""Characters; what is longer is an area itself."""


@app.command("create")
def create(  # noqa: PLR0913 -- one argument an option
    context: typer.Context,
    *,
    role: Annotated[
        Literal["agency", "operator", "approver"],
        typer.Option(
            "--role", help="agency: posts alerts; operator: runs the relay; approver: decides on held alerts."
        ),
    ],
    name: Annotated[str, typer.Option("--name", help="Who holds it, for example hydromet.")],
    sender: Annotated[
        list[str] | None,
        typer.Option(
            "--sender", metavar="PATTERN", help="A CAP sender it may use, for example '*@meteo.example'; repeat it."
        ),
    ] = None,
    mode: Annotated[
        Literal["live", "test"], typer.Option("--mode", help="test: everything happens, but nothing leaves.")
    ] = "live",
    strict: Annotated[bool, typer.Option("--strict", help="Refuse what would otherwise be repaired.")] = False,
    area: Annotated[
        str, typer.Option("--area", metavar="BBOX|FILE", help="Where it may warn: south,west,north,east, or GeoJSON.")
    ] = "",
    hazard: Annotated[
        list[str] | None,
        typer.Option("--hazard", metavar="CATEGORY", help="A CAP category it may warn of (Geo, Met …); repeat it."),
    ] = None,
    json: Json = False,
) -> None:
    """Make a key and print it, once: keep it, it cannot be shown again."""
    if role == "agency" and not sender:
        raise typer.BadParameter(
            "an agency's key needs one, for example --sender '*@meteo.example'", param_hint="--sender"
        )
    wanted = {
        "role": role,
        "name": name,
        "senders": sender or [],
        "mode": mode,
        "strict": strict,
        "area": area_text(area),
        "hazards": hazard or [],
    }
    answer = (
        options_of(context)
        .client()
        .post_document("/v1/keys", {field: value for field, value in wanted.items() if value})
    )
    if json:
        raw(answer.body)
        return
    say(str(answer.document().get("key", "")))
    note(f"made key {clean(answer.document().get('id'))} of {name}; it is not shown again")


@app.command("list")
def list_(context: typer.Context, *, json: Json = False) -> None:
    """List the keys, without their secrets."""
    answer = options_of(context).client().get("/v1/keys")
    if json:
        raw(answer.body)
        return
    show(keys_sheet(answer.document().get("keys") or ()))


@app.command("revoke")
def revoke(
    context: typer.Context,
    *,
    key_id: Annotated[str, typer.Argument(metavar="ID", help="The key's id, as `relay keys list` shows it.")],
    json: Json = False,
) -> None:
    """Make a key worthless within a second, for good."""
    answer = options_of(context).client().delete(f"/v1/keys/{quote(key_id, safe='')}")
    if json:
        raw(answer.body)
        return
    say(f"revoked: {key_id}")


def area_text(area: str) -> str:
    """Return an area as the relay reads it: the text itself, or what the file of that name holds.

    Raises:
        Failed: the file cannot be read.
    """
    if len(area) > _LONGEST_PATH or area.startswith("{"):
        return area
    path = Path(area)
    try:
        return path.read_text(encoding="utf-8-sig") if area and path.is_file() else area
    except (OSError, UnicodeDecodeError) as error:
        raise Failed(f"the area file {area} cannot be read: {error}") from error


def keys_sheet(keys: Sequence[Mapping[str, Any]]) -> Sheet:
    """Return the table of keys."""
    return Sheet(
        columns=("id", "role", "name", "senders", "mode", "where", "created", "state"),
        rows=[
            (
                clean(key.get("id")),
                clean(key.get("role")),
                clean(key.get("name")),
                " ".join(clean(sender) for sender in key.get("senders") or ()) or "-",
                clean(key.get("mode")) + (", strict" if key.get("strict") else ""),
                _where(key),
                clean(key.get("created"))[:10],
                "revoked" if key.get("revoked") else "valid",
            )
            for key in keys
        ],
        empty="no keys",
    )


def _where(key: Mapping[str, Any]) -> str:
    area = clean(key.get("area"))
    shown = area if len(area) <= 40 else "an area"
    return ", ".join(filter(None, (shown, " ".join(key.get("hazards") or ())))) or "everywhere"
