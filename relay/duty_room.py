"""The operators' pages, put together: what the console needs from the services."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from aiohttp import web

from relay.api.remote import Proxies
from relay.api.services import Services
from relay.api.status import seen
from relay.console.pages import Pages
from relay.console.services import Console
from relay.console.sessions import Sessions
from relay.intake.authority import Role
from relay.intake.quota import Quota
from relay.tracking.status import status_json

#: Tries to sign in from one address, per minute.
_TRIES = 10


class DutyRoom:
    """The pages and their sessions."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._proxies = Proxies(services.settings.api.trusted_proxies)
        self.sessions = Sessions(clock=services.clock)
        self.pages = Pages(
            Console(
                status=self._status,
                keys=services.register,
                decisions=services.decisions,
                controls=services.controls,
                sessions=self.sessions,
                sign_ins=Quota(per_minute=_TRIES, clock=services.clock),
                client=self._client,
                clock=services.clock,
                origin=services.settings.base_url,
                tls=services.settings.base_url.startswith("https://"),
            )
        )

    def sign_in_path(self) -> str:
        """Return the path of a link that signs the administrator in, once; empty when there is no such key."""
        keys = self._services.register.keys()
        admins = [key for key in keys if key.role is Role.ADMIN and key.revoked is None]
        return f"/status?once={self.sessions.link(admins[0].key_id)}" if admins else ""

    async def _status(self) -> Mapping[str, Any]:
        return status_json(await seen(self._services))

    def _client(self, request: web.BaseRequest) -> str:
        return self._proxies.client(request.remote, request.headers.getall("X-Forwarded-For", []))
