"""What ``relay check`` says of the adapters, where each comes from, and the channels made of them."""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from relay.adapter import API_VERSION, Kind
from relay.commands.check_settings import readable
from relay.commands.checklist import Item, error, ok, remark, warning
from relay.errors import ConfigError
from relay.fanout.channels import GROUP, describe
from relay.settings import Channel, Settings


def installed() -> list[Item]:
    """Return every adapter that is installed, and the distribution that brought it."""
    found = sorted(entry_points(group=GROUP), key=lambda point: point.name)
    names = [point.name for point in found]
    items = [_adapter(point) for point in found]
    doubled = sorted({name for name in names if names.count(name) > 1})
    items += [error(f"adapter {name}", "two distributions bring an adapter of this name") for name in doubled]
    return items or [error("adapters", "none is installed: install the relay again (pip install --no-deps -e .)")]


def channel_items(settings: Settings) -> list[Item]:
    """Return whether each channel can be used, and which kinds of people nobody could reach."""
    items: list[Item] = []
    kinds: dict[str, set[str]] = {"live": set(), "drill": set()}
    for name, channel in settings.channels.items():
        item, kind = _channel(name, channel)
        items += [item, *_secret_files(name, channel)]
        for lane in channel.lanes if kind is not None else ():
            kinds[lane].add(str(kind))
    missing = [kind.value for kind in Kind if kind.value not in kinds["live"]]
    if missing:
        items.append(
            warning("channels", f"no live channel for {', '.join(missing)}: such deliveries end as no_channel")
        )
    if not kinds["drill"]:
        items.append(remark("channels", 'no channel names the lane "drill": exercises reach nobody'))
    return items


def _adapter(point: EntryPoint) -> Item:
    subject, origin = f"adapter {point.name}", _origin(point)
    try:
        loaded = point.load()
        version, kind = loaded.descriptor.api, loaded.descriptor.kind
    except Exception as trouble:  # noqa: BLE001 -- somebody else's package can fail in any way
        return error(subject, f"cannot be loaded ({origin}): {trouble}")
    if version != API_VERSION:
        return error(subject, f"is made for contract {version}, this relay has {API_VERSION} ({origin})")
    return ok(subject, f"{kind}, {origin}")


def _origin(point: EntryPoint) -> str:
    came = f"{point.dist.name} {point.dist.version}" if point.dist is not None else "an unknown distribution"
    return f"from {came} ({point.value})"


def _channel(name: str, channel: Channel) -> tuple[Item, Kind | None]:
    subject = f"channel {name}"
    try:
        _, _, descriptor = describe(name, channel)
    except ConfigError as trouble:
        return error(subject, str(trouble)), None
    except Exception as trouble:  # noqa: BLE001 -- as above
        return error(subject, f"the adapter {channel.adapter} fails: {trouble}"), None
    rate = f"{channel.rate:g}/s" if channel.rate else "no limit"
    takes = ", ".join(channel.match) or "all addresses"
    text = f"{descriptor.kind} by {channel.adapter}, {' and '.join(channel.lanes) or 'no lane'}, {takes}, {rate}"
    if channel.adapter == "console":
        return remark(subject, f"{text}; nothing leaves this machine through it"), descriptor.kind
    return ok(subject, text), descriptor.kind


def _secret_files(name: str, channel: Channel) -> list[Item]:
    """Return the files named in a channel's settings that cannot be read by this user."""
    found = []
    for key, value in channel.settings.items():
        if key.endswith("_file") and isinstance(value, str) and value:
            trouble = readable(Path(value))
            if trouble:
                found.append(error(f"channel {name}", f"settings.{key} = {value}: {trouble}"))
    return found
