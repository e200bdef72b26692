"""Scenes 2 and 3: the same alert again, and one with its coordinates swapped; nobody gets anything."""

from __future__ import annotations

import asyncio

from relay.demo.alerts import swapped, to_xml
from relay.demo.paper import many
from relay.demo.relay_client import Posted
from relay.demo.stage import SETTLE, Stage, Verdict


async def again(stage: Stage) -> Verdict:
    """Post the earthquake once more, byte by byte."""
    before = stage.receivers.count
    posted = await stage.post(stage.quake_xml)
    await asyncio.sleep(SETTLE)
    return judge_again(posted, of=stage.quake_id, messages=stage.receivers.count - before)


def judge_again(posted: Posted, *, of: str, messages: int) -> Verdict:
    """Judge the answer to a repetition of alert ``of``, after which so many ``messages`` came."""
    duplicate = posted.body.get("duplicate") or {}
    short = f"{str(duplicate.get('of', '?'))[:4]}…"
    why = str(duplicate.get("why") or "no reason given").rstrip(".")
    verdict = Verdict(f"{posted.status}, duplicate of {short} ({why}) · {many(messages, 'message')}")
    verdict.promise(posted.status == 200, f"expected 200, got {posted.status}")
    verdict.promise(duplicate.get("of") == of, "the answer names another alert as the first one")
    verdict.promise(messages == 0, f"somebody was told again: {many(messages, 'message')}")
    return verdict


async def broken(stage: Stage) -> Verdict:
    """Post an earthquake whose corners are written lon,lat."""
    before = stage.receivers.count
    posted = await stage.post(to_xml(swapped(stage.clock.now())))
    await asyncio.sleep(SETTLE)
    return judge_broken(posted, messages=stage.receivers.count - before)


def judge_broken(posted: Posted, *, messages: int) -> Verdict:
    """Judge the answer to the swapped earthquake, after which so many ``messages`` came."""
    errors = [row for row in posted.body.get("errors") or [] if row.get("severity") == "error"]
    first = errors[0] if errors else {}
    where, what = first.get("line", "?"), str(first.get("message") or "no message").rstrip(".")
    verdict = Verdict(f"{posted.status} {first.get('rule', '')} line {where}: {what} · {many(messages, 'message')}")
    verdict.promise(posted.status == 422, f"expected 422, got {posted.status}")
    verdict.promise(first.get("rule") == "CAP-031", f"expected rule CAP-031, got {first.get('rule', 'none')}")
    verdict.promise(first.get("line"), "the answer does not say in which line")
    verdict.promise(messages == 0, f"somebody was told: {many(messages, 'message')}")
    return verdict
