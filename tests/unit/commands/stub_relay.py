"""A real HTTP server on loopback that answers as a test says, and remembers what it was asked."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True, slots=True)
class Asked:
    """One request as it came."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> Any:
        """The JSON in the body."""
        return json.loads(self.body)


@dataclass(slots=True)
class StubRelay:
    """Answers by ``METHOD /path?query``, several for one in turn (the last one stays); 404 for what it does not know."""

    url: str = ""
    answers: dict[str, list[tuple[int, bytes, Mapping[str, str]]]] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)

    def on(self, what: str, answer: Any, *, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        """Answer ``what`` with JSON, or with bytes as they are."""
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.answers.setdefault(what, []).append((status, body, headers or {}))

    def problem(self, what: str, *, status: int, **members: Any) -> None:
        """Answer ``what`` with a problem document."""
        self.on(what, {"type": "urn:chapar:problem:test", "status": status, **members}, status=status)

    def take(self, asked: Asked) -> tuple[int, bytes, Mapping[str, str]]:
        """Return the answer to one request."""
        self.asked.append(asked)
        known = self.answers.get(f"{asked.method} {asked.path}") or self.answers.get(
            f"{asked.method} {asked.path.partition('?')[0]}", []
        )
        if not known:
            return 404, b'{"title": "There is nothing here", "status": 404}', {}
        return known.pop(0) if len(known) > 1 else known[0]


class StubServer(ThreadingHTTPServer):
    """The listening side of a stub."""

    daemon_threads = True

    def __init__(self, stub: StubRelay) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.stub = stub
        stub.url = f"http://127.0.0.1:{self.server_port}"
        self.thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()

    def end(self) -> None:
        """Stop listening."""
        self.shutdown()
        self.thread.join()
        self.server_close()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StubServer

    def answer(self) -> None:
        status, body, headers = self.server.stub.take(Asked(self.command, self.path, dict(self.headers), self.body()))
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if status != 204:
            self.wfile.write(body)

    do_GET = do_POST = do_PUT = do_DELETE = answer  # noqa: N815 -- the names that http.server calls

    def body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        pieces = []
        while size := int(self.rfile.readline(), 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the base class names it so
        """Say nothing: standard error belongs to the command under test."""
