"""What operators do from the page: decide, stop, resume, pause, sign out; only by a form of a session of ours."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

import structlog
from aiohttp import web

from relay.api.call import Call, Route
from relay.console.browser import Browser
from relay.console.forms import own_page, read_form
from relay.console.questions import notice_page, say_of
from relay.console.services import Console
from relay.console.sign_in import sign_in_page
from relay.errors import InvalidInput, JournalUnavailable, StoreUnavailable
from relay.intake.authority import Action, Key, may

log = structlog.get_logger()

_FORM_TIMEOUT = 10.0
_LONGEST_REASON = 300

_SESSION_OVER = "session_over"

Form = Mapping[str, str]


class _No(Exception):
    """Nothing was done: ``said`` is the key of the sentence that says why."""

    def __init__(self, said: str, status: int) -> None:
        super().__init__(said)
        self.said = said
        self.status = status


class Actions:
    """The handlers of all forms but the one to sign in."""

    def __init__(self, console: Console, browser: Browser) -> None:
        self._console = console
        self._browser = browser

    @property
    def routes(self) -> Sequence[Route]:
        """The routes of this file; each handler checks session, form and role by itself."""
        return [
            Route("POST", "/status/sign-out", self.sign_out),
            Route("POST", "/status/alerts/{id}/approval", self.decide),
            Route("POST", "/status/stop", self.stop),
            Route("POST", "/status/resume", self.resume),
            Route("POST", "/status/channels/{name}/pause", self.pause),
            Route("POST", "/status/channels/{name}/resume", self.resume_channel),
        ]

    async def decide(self, call: Call) -> web.StreamResponse:
        """Approve or reject a held alert."""

        async def act(key: Key, form: Form) -> None:
            decision = form.get("decision", "")
            if decision not in ("approve", "reject"):
                raise InvalidInput("bad-parameter", "The decision is approve or reject.", status=400)
            await self._console.decisions.approve(call.part("id"), decision=decision, reason=_reason(form), key=key)

        return await self._act(call, Action.APPROVE, act, did="decided")

    async def stop(self, call: Call) -> web.StreamResponse:
        """Stop all sending."""

        async def act(key: Key, form: Form) -> None:
            await self._console.controls.stop(reason=_reason(form), key=key)

        return await self._act(call, Action.STOP, act, did="stopped", half_done="half_stopped")

    async def resume(self, call: Call) -> web.StreamResponse:
        """Go on sending."""

        async def act(key: Key, form: Form) -> None:
            await self._console.controls.resume(reason=_reason(form), key=key)

        return await self._act(call, Action.STOP, act, did="resumed")

    async def pause(self, call: Call) -> web.StreamResponse:
        """Pause a channel."""

        async def act(key: Key, form: Form) -> None:
            await self._console.controls.pause(await self._channel(call), reason=_reason(form), key=key)

        return await self._act(call, Action.CHANNELS, act, did="channel_paused")

    async def resume_channel(self, call: Call) -> web.StreamResponse:
        """Resume a channel."""

        async def act(key: Key, form: Form) -> None:
            await self._console.controls.resume_channel(await self._channel(call), reason=_reason(form), key=key)

        return await self._act(call, Action.CHANNELS, act, did="channel_resumed")

    async def sign_out(self, call: Call) -> web.StreamResponse:
        """End the session."""

        async def act(_: Key, __: Form) -> None:
            self._console.sessions.end(self._browser.token(call.request))

        response = await self._act(call, Action.STATUS, act, did="signed_out")
        if response.status == 303:
            response.del_cookie(
                self._browser.cookie, path="/", secure=self._console.tls, httponly=True, samesite="Strict"
            )
        return response

    async def _channel(self, call: Call) -> str:
        """Return the channel's name; a switch for one that does not exist would never be found again."""
        name = call.part("name")
        rows = (await self._console.status()).get("channels", ())
        if not any(row.get("name") == name for row in rows):
            raise InvalidInput("not-found", "There is no such channel.", status=404)
        return name

    async def _act(
        self,
        call: Call,
        needs: Action,
        act: Callable[[Key, Form], Awaitable[None]],
        *,
        did: str,
        half_done: str = "not_kept",
    ) -> web.Response:
        """Do it when session, form and role allow it, and lead back to the status; else say why not."""
        try:
            key, form = await self._admit(call, needs)
            await act(key, form)
        except _No as no:
            return self._notice(call, no.said, status=no.status)
        except InvalidInput as error:
            return self._notice(call, "refused_input", status=error.status, detail=error.detail)
        except JournalUnavailable:
            return self._notice(call, half_done, status=503)
        except StoreUnavailable:
            return self._notice(call, "no_store", status=503)
        log.warning(did, by=key.key_id, path=call.request.path, request=call.request_id)
        return self._browser.see_status(call.request)

    async def _admit(self, call: Call, needs: Action) -> tuple[Key, Form]:
        """Return who acts and what the form says.

        Raises:
            _No: there is no session, the form is not ours, or the role does not allow it.
        """
        request = call.request
        session, key = self._browser.session(request), self._browser.key(request)
        if session is None or key is None:
            raise _No(_SESSION_OVER, 401)
        if not own_page(request.headers, host=request.host, origin=self._console.origin, proof=True):
            raise _No("forged", 403)
        form = await read_form(request, timeout=_FORM_TIMEOUT)
        if form is None:
            raise _No("too_long", 413)
        if not session.allows(form.get("csrf", "")):
            raise _No("forged", 403)
        if not may(key, needs):
            raise _No("forbidden", 403)
        return key, form

    def _notice(self, call: Call, said: str, *, status: int, **values: str) -> web.Response:
        language, links = self._browser.language(call), self._browser.links(call.request)
        if said == _SESSION_OVER:
            return self._browser.html(sign_in_page(language=language, links=links, said=said), status=status)
        say = say_of(language)
        return self._browser.html(notice_page(say(said, **values), say=say, links=links), status=status)


def _reason(form: Form) -> str:
    return " ".join(form.get("reason", "").split())[:_LONGEST_REASON]
