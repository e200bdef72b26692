"""The relay's own account at the end: every alert and every delivery, as the HTTP API tells it."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import orjson

from tests.chaos.stage import Stage, ask

Document = dict[str, Any]

#: The states in which a delivery may still change by itself.
OPEN = {"queued", "sending", "retrying", "accepted"}
#: The states of an alert in which it waits for nothing but people.
SETTLED = {"completed", "cancelled", "superseded", "expired", "held", "rejected"}


async def drained(stage: Stage, *, within: float) -> bool:
    """Wait until no alert is open; False when that takes too long."""
    loop = asyncio.get_running_loop()
    end = loop.time() + within
    while loop.time() < end:
        alerts = await everything(stage)
        if alerts is not None and not any(_open(alert) for alert in alerts):
            return True
        await asyncio.sleep(0.5)
    return False


def _open(alert: Document) -> bool:
    return alert["state"] not in SETTLED or bool(OPEN & set(alert.get("counts", {})))


async def everything(stage: Stage) -> list[Document] | None:
    """Return the list of alerts, page by page; None while it cannot be had."""
    found: list[Document] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await ask(stage, f"/v1/alerts?limit=500&cursor={cursor}", timeout=20.0)
        if page is None or page.get("stale"):
            return None
        found += page["alerts"]
        cursor = page["next"]
    return found


async def dump(stage: Stage, path: Path) -> None:
    """Write every alert with its deliveries, the recipients and the status page into one file."""
    alerts = []
    for brief in await everything(stage) or []:
        document = await _fresh(stage, f"/v1/alerts/{brief['id']}") or {"id": brief["id"], "missing": True}
        alerts.append({**document, "rows": await _rows(stage, brief["id"])})
    status = await ask(stage, "/status", timeout=20.0)
    path.write_bytes(orjson.dumps({"t": time.time(), "alerts": alerts, "status": status, "people": stage.people}))


async def _fresh(stage: Stage, path: str) -> Document | None:
    """Return what Redis knows, not only this node: a moment later, if need be."""
    document: Document | None = None
    for _ in range(20):
        document = await ask(stage, path, timeout=20.0)
        if document is not None and not document.get("stale"):
            return document
        await asyncio.sleep(0.5)
    return document


async def _rows(stage: Stage, alert_id: str) -> list[Document]:
    rows: list[Document] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await ask(stage, f"/v1/alerts/{alert_id}/deliveries?limit=1000&cursor={cursor}", timeout=20.0)
        if page is None:
            return rows
        rows += page["deliveries"]
        cursor = page["next"]
    return rows
