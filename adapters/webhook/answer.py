"""Reading what a host answers: the status and the pause it asks for; the rest is thrown away, within a bound."""

from __future__ import annotations

from typing import Final

import httptools

_MOST_HEAD: Final = 64 * 1024  # bytes of status line and headers, interim answers included
_SWITCHING: Final = 101


class Unreadable(Exception):
    """What came before any status is not HTTP, or more than anybody needs."""


class AnswerReader:
    """Reads one answer after the other from whatever pieces arrive; does no input or output itself.

    After :meth:`feed` returned True, ``status`` is that of the answer (interim ones are passed over), ``retry_after``
    the header's bytes or empty, and ``reusable`` says whether the next request may use the same connection.
    ``most`` is how many bytes of a body are read before the rest is given up; bodies are never decompressed.
    """

    __slots__ = ("_head", "_left", "_most", "_parser", "_strays", "_whole", "retry_after", "reusable", "status")

    def __init__(self, most: int) -> None:
        self._most = most
        self._parser = httptools.HttpResponseParser(self)
        # The same mercies that aiohttp has for servers that bend the grammar without making it ambiguous.
        self._parser.set_dangerous_leniencies(
            lenient_headers=True, lenient_optional_cr_before_lf=True, lenient_spaces_after_chunk_size=True
        )
        self._strays = False
        self.begin()

    def begin(self) -> None:
        """Expect a new answer."""
        self.status = 0
        self.retry_after = b""
        self.reusable = False
        self._whole = False
        self._head = 0
        self._left = self._most

    def feed(self, data: bytes) -> bool:
        """Take the next piece; return whether all that matters of the answer has been read.

        Raises:
            Unreadable: it is not HTTP; the connection is of no use any more.
        """
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._whole, self.reusable = True, False
        except httptools.HttpParserError as error:
            self.reusable = False
            if not self.status:
                raise Unreadable from error
            return True  # the status has been heard; what is wrong with the rest changes nothing
        if self._whole:
            self.reusable = self.reusable and not self._strays
            return True
        if self.status:
            self.reusable = self.reusable and self._left >= 0
            return self._left < 0
        self._head += len(data)
        if self._head > _MOST_HEAD:
            raise Unreadable
        return False

    def on_message_begin(self) -> None:
        """A second answer to one request is nobody's."""
        self._strays = self._strays or self._whole

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep the one header that is read."""
        if len(name) == 11 and not self.status and name.lower() == b"retry-after":
            self.retry_after = value

    def on_headers_complete(self) -> None:
        """Remember the status of a final answer."""
        status = self._parser.get_status_code()
        if self._whole:
            return
        if status < 200 and status != _SWITCHING:
            self.retry_after = b""
            return
        self.status = status
        self.reusable = status != _SWITCHING and self._parser.should_keep_alive()

    def on_body(self, body: bytes) -> None:
        """Count and forget."""
        self._left -= len(body)

    def on_message_complete(self) -> None:
        """Note the end of a final answer; an interim one is followed by another."""
        self._whole = self.status != 0
