"""The agency: posts a seeded mix at a bounded rate and writes down what it asked and what it was told."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import orjson

from tests.chaos.log import Log
from tests.chaos.mix import Mix, Role, Step

_TIMEOUT = 12.0
_MOST = 64


class Client:
    """One agency with one key; its log has ``invoke``, then ``ok``, ``fail`` or ``info``, under the same ``n``.

    ``ok`` is an answer below 500, ``fail`` one that says it was not done, ``info`` no answer: it may have been done.
    """

    def __init__(self, log: Path, mix: Mix, *, origin: Callable[[], str], key: Callable[[], str]) -> None:
        self.log = Log(log)
        self._mix, self._origin, self._key = mix, origin, key
        self._ids: dict[int, str] = {}
        self._unclear: list[Step] = []
        self._numbers = itertools.count(1)
        self._chance = random.Random(0)
        self._slots = asyncio.Semaphore(_MOST)
        self._http = aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=_TIMEOUT), connector=aiohttp.TCPConnector(limit=0)
        )

    async def close(self) -> None:
        """Close connections and the log."""
        await self._http.close()
        self.log.close()

    async def run(self, *, rate: float, seconds: float, bursts: int) -> None:
        """Post ``rate`` alerts a second for ``seconds``, with wide bursts evenly between."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        total = int(rate * seconds)
        starts = {total * (2 * n + 1) // (2 * bursts) for n in range(bursts)}
        async with asyncio.TaskGroup() as tasks:
            for at in range(total):
                if at in starts:
                    self._mix.burst()
                step = self._mix.step()
                await self._slots.acquire()
                tasks.create_task(self._one(step), name=f"post {at}")
                await asyncio.sleep(max(0.0, began + (at + 1) / rate - loop.time()))

    async def watch(self, *, seconds: float) -> None:
        """Look twice a second at what the relay says of some alert of the last ones."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while loop.time() < end:
            await asyncio.sleep(0.5)
            recent = list(self._ids.values())[-12:]
            if recent:
                await self._look(self._chance.choice(recent))

    async def _look(self, alert: str) -> None:
        headers = {"Authorization": f"Bearer {self._key()}", "Accept": "application/json"}
        url = f"{self._origin()}/v1/alerts/{alert}/deliveries?limit=1000"
        with suppress(aiohttp.ClientError, TimeoutError, OSError, orjson.JSONDecodeError):
            async with self._http.get(url, headers=headers) as response:
                raw = await response.read()
            if response.status == 200:
                rows = [(row["recipient"], row["kind"], row["state"]) for row in orjson.loads(raw)["deliveries"]]
                self.log.write(do="seen", alert=alert, rows=rows)

    async def settle_doubts(self, *, leave: int = 3) -> None:
        """Post again what got no answer, as an agency does; ``leave`` so many unanswered, to be told once or never."""
        for step in self._unclear[leave:]:
            await self._slots.acquire()
            await self._one(step)

    async def _one(self, step: Step) -> None:
        try:
            if step.role is Role.REVOKE:
                await self._revoke(step)
            else:
                await self._post(step)
        finally:
            self._slots.release()

    async def _post(self, step: Step) -> None:
        n = self._invoke(step)
        headers = {"Content-Type": step.media}
        said = await self._ask(n, "/v1/alerts", step.body, headers)
        if said is None:
            if step.role not in (Role.BAD, Role.CONFLICT):
                self._unclear.append(step)
        elif "id" in said:
            self._ids.setdefault(step.number, said["id"])

    async def _revoke(self, step: Step) -> None:
        """Cancel by its id, once that is known."""
        for _ in range(40):
            if step.of in self._ids:
                break
            await asyncio.sleep(0.1)
        else:
            return
        n = self._invoke(step, cancels=self._ids[step.of])
        await self._ask(n, f"/v1/alerts/{self._ids[step.of]}/cancel", b"", {"Content-Type": "application/json"})

    def _invoke(self, step: Step, **more: Any) -> int:
        n = next(self._numbers)
        if step.document:
            more["document"] = step.document
        self.log.write(do="invoke", n=n, role=step.role, number=step.number, of=step.of, **more)
        return n

    async def _ask(self, n: int, path: str, body: bytes, headers: dict[str, str]) -> dict[str, Any] | None:
        """Send one request and log what came of it; None: no answer."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        headers = {**headers, "Authorization": f"Bearer {self._key()}", "Accept": "application/json"}
        try:
            async with self._http.post(self._origin() + path, data=body, headers=headers) as response:
                raw, status = await response.read(), response.status
        except aiohttp.ClientConnectorError as error:
            self.log.write(do="fail", n=n, status=0, why=type(error).__name__, took=loop.time() - began)
            return {}
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self.log.write(do="info", n=n, status=0, why=type(error).__name__, took=loop.time() - began)
            return None
        said: dict[str, Any] = {}
        with suppress(orjson.JSONDecodeError):
            said = orjson.loads(raw)
        kept = {
            name: said.get(name)
            for name in ("id", "state", "reason", "priority", "durability", "duplicate", "type", "cancels")
        }
        do = "fail" if status >= 500 else "ok"
        self.log.write(
            do=do, n=n, status=status, took=loop.time() - began, **{k: v for k, v in kept.items() if v is not None}
        )
        return said if status < 300 else {}
