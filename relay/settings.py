"""The configuration: one TOML file, overridden by ``RELAY_SECTION__KEY`` (design §14).

This is the only file that reads the environment.  Unknown keys and unknown ``RELAY_…`` variables are errors
with a suggestion, because a mistyped safety setting must not be silently ignored.
"""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PrivateAttr, ValidationError

from relay.environment import override
from relay.errors import ConfigError
from relay.secret_file import read_secret

Seconds = Annotated[float, Field(gt=0)]


class Section(BaseModel):
    """A table of the configuration: frozen, and strict about unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Api(Section):
    """``[api]``: where agencies, operators and responders reach the relay."""

    host: str = "127.0.0.1"
    port: int = Field(8080, ge=0, le=65535)
    tls_cert: str = ""
    tls_key: str = ""
    trusted_proxies: tuple[str, ...] = ()
    posts_per_minute: int = Field(3000, gt=0)
    body_timeout: Seconds = 10.0
    drain: Seconds = 10.0


class Redis(Section):
    """``[redis]``: an empty ``url`` means the relay's own private server in ``data_dir``.

    ``url_file`` names a file that holds the URL, for one with a password in it; it goes before ``url``.
    """

    url: str = ""
    url_file: str = ""
    server: str = ""
    accept_budget: Seconds = 0.25
    timeout: Seconds = 2.0
    partitions: int = Field(16, ge=1, le=32)
    copies: int = Field(0, ge=0, le=9)


class Egress(Section):
    """``[egress]``: private targets that recipients' webhooks may reach all the same."""

    allow: tuple[str, ...] = ()


class Cap(Section):
    """``[cap]``: limits on alerts, and what is assumed where CAP leaves a policy to us."""

    max_bytes: int = Field(4 * 1024 * 1024, gt=0)
    max_vertices: int = Field(200_000, gt=0)
    max_polygons: int = Field(1_000, gt=0)
    assumed_expires_hours: float = Field(24.0, gt=0)
    point_radius_km: float = Field(10.0, gt=0)


class Priority(Section):
    """``[priority]``: CAP event codes and names that are a flash when they are Immediate (design §8)."""

    flash_events: tuple[str, ...] = (
        "earthquake",
        "землетрясение",
        "жер сілкінісі",
        "жер титирөө",
        "dam break",
        "прорыв плотины",
        "mudflow",
        "сель",
        "сел",
        "glacial lake outburst",
        "прорыв ледникового озера",
        "chemical release",
        "химическая авария",
    )


class Engine(Section):
    """``[engine]``: workers, leases and pauses.  Tests shorten the times; operators seldom need to."""

    workers: int = Field(1, ge=0, le=64)
    lease: Seconds = 10.0
    lease_flash: Seconds = 5.0
    fence: Seconds = 10.0
    chunk: int = Field(500, ge=1, le=500)
    slots: int = Field(4, ge=1, le=64)
    reconcile: Seconds = 30.0
    pauses_urgent: tuple[float, ...] = (2.0, 5.0, 15.0, 30.0, 60.0)
    pauses: tuple[float, ...] = (5.0, 30.0, 120.0, 600.0, 1800.0, 3600.0)
    jitter: float = Field(0.2, ge=0, lt=1)
    send_timeout: Seconds = 30.0
    grace: Seconds = 15.0


class Archive(Section):
    """``[archive]``: when finished alerts leave Redis for files in ``data_dir/archive``, and how long they are kept."""

    after: Seconds = 86_400.0
    keep_days: float = Field(0.0, ge=0)


class Memory(Section):
    """``[memory]``: how much Redis may hold before less urgent alerts wait; the reserve is for P0 and P1."""

    limit_mb: float = Field(0.0, ge=0)
    reserve: float = Field(0.2, ge=0, lt=1)


class Channel(Section):
    """``[channels.<name>]``: a configured adapter.

    ``rate`` counts provider submissions per second (SMS parts, mails, posts), 0 means unlimited; ``match`` holds
    address prefixes, empty means all; ``receipt_deadline`` in seconds ends ``accepted`` as ``delivered_unconfirmed``,
    0 takes the kind's default (SMS 1 h, e-mail 15 min).
    """

    adapter: str
    order: int = 10
    rate: float = Field(0.0, ge=0)
    lanes: tuple[Literal["live", "drill"], ...] = ("live",)
    match: tuple[str, ...] = ()
    receipt_deadline: float = Field(0.0, ge=0)
    settings: dict[str, Any] = Field(default_factory=dict)


class Log(Section):
    """``[log]``: one JSON object a line on standard error."""

    level: Literal["debug", "info", "warning", "error"] = "info"


def _with_webhook(channels: object) -> object:
    """Add the webhook channel that exists by default (design §18), unless one is configured."""
    if not isinstance(channels, Mapping):
        return channels
    if any(isinstance(c, Mapping) and c.get("adapter") == "webhook" for c in channels.values()):
        return channels
    return {"webhook": {"adapter": "webhook"}, **channels}


class Settings(Section):
    """The whole configuration."""

    data_dir: Path = Path("./var")
    public_url: str = ""
    ack_secret_file: str = ""
    api: Api = Api()
    redis: Redis = Redis()
    egress: Egress = Egress()
    cap: Cap = Cap()
    priority: Priority = Priority()
    engine: Engine = Engine()
    archive: Archive = Archive()
    memory: Memory = Memory()
    log: Log = Log()
    channels: Annotated[dict[str, Channel], BeforeValidator(_with_webhook)] = Field(
        default_factory=lambda: {"webhook": Channel(adapter="webhook")}
    )

    _source: Path | None = PrivateAttr(default=None)

    @property
    def source(self) -> Path | None:
        """The file that these settings were read from, for child processes; None: none was."""
        return self._source

    @property
    def base_url(self) -> str:
        """``public_url`` without its final slash, or the address that the API listens on."""
        if self.public_url:
            return self.public_url.rstrip("/")
        scheme = "https" if self.api.tls_cert else "http"
        return f"{scheme}://{self.api.host}:{self.api.port}"


def load(path: Path | None = None, environ: Mapping[str, str] | None = None) -> Settings:
    """Read the configuration file and the environment.

    ``path`` None means ``RELAY_CONFIG``, else ``./config/relay.toml`` if it exists, else the defaults.

    Raises:
        ConfigError: the file is missing or broken, a key is unknown, a value is wrong.
    """
    env = os.environ if environ is None else environ
    chosen = path or (Path(env["RELAY_CONFIG"]) if env.get("RELAY_CONFIG") else None)
    if chosen is None and Path("config/relay.toml").is_file():
        chosen = Path("config/relay.toml")
    values = _read_toml(chosen) if chosen is not None else {}
    override(values, env, known=_known_variables())
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise ConfigError(_explain(error, chosen)) from error
    if settings.redis.url_file:
        redis = settings.redis.model_copy(
            update={"url": read_secret(settings.redis.url_file, setting="redis.url_file")}
        )
        settings = settings.model_copy(update={"redis": redis})
    settings._source = chosen  # noqa: SLF001 -- known only here, and no setting
    return settings


def _read_toml(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"cannot read the configuration {path}: {error.strerror}") from error
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path} is not TOML: {error}") from error


def listening_fd(environ: Mapping[str, str] | None = None, *, pid: int | None = None) -> int | None:
    """Return the descriptor of a socket that listens for us already (systemd's socket activation); None: there is none.

    Raises:
        ConfigError: there is more than one.
    """
    env = os.environ if environ is None else environ
    if env.get("LISTEN_PID") != str(os.getpid() if pid is None else pid):
        return None
    if env.get("LISTEN_FDS") != "1":
        raise ConfigError("more than one socket was passed to the relay; its socket unit must name one ListenStream")
    return 3


def overrides(environ: Mapping[str, str] | None = None) -> tuple[str, ...]:
    """Return the names of all ``RELAY_…`` variables, for whoever starts a relay that must not see them (the demo)."""
    return tuple(name for name in (os.environ if environ is None else environ) if name.startswith("RELAY_"))


def _known_variables() -> list[str]:
    names = []
    for key, field in Settings.model_fields.items():
        inner = field.annotation
        if isinstance(inner, type) and issubclass(inner, Section):
            names += [f"RELAY_{key}__{sub}".upper() for sub in inner.model_fields]
        else:
            names.append(f"RELAY_{key}".upper())
    return names


def _explain(error: ValidationError, path: Path | None) -> str:
    lines = []
    for item in error.errors(include_url=False):
        where = ".".join(str(part) for part in item["loc"])
        hint = ""
        if item["type"] == "extra_forbidden":
            close = difflib.get_close_matches(str(item["loc"][-1]), _siblings(item["loc"]), n=1)
            hint = f" Did you mean {close[0]}?" if close else ""
            lines.append(f"unknown setting {where}.{hint}")
        else:
            lines.append(f"{where}: {item['msg']}")
    source = str(path) if path is not None else "the environment"
    return f"the configuration ({source}) cannot be used: " + "; ".join(lines)


def _siblings(loc: tuple[int | str, ...]) -> list[str]:
    if len(loc) >= 3 and loc[0] == "channels":
        return list(Channel.model_fields)
    if len(loc) == 2:
        inner = Settings.model_fields[str(loc[0])].annotation
        if isinstance(inner, type) and issubclass(inner, Section):
            return list(inner.model_fields)
    return list(Settings.model_fields)
