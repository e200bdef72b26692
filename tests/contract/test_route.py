"""The ways to a server: what belongs together stays together, and errors reach whom they concern."""

import pytest
from redis.exceptions import ResponseError

from relay.store.connection import Connection
from relay.store.route import key_of


async def test_error_among_replies(redis: Connection) -> None:
    """Asked for all replies, a caller gets the others' in spite of one mistake."""
    await redis.call("SET", "c1:{p0}:text", "x")
    good, bad, after = await redis.replies([("PING",), ("INCR", "c1:{p0}:text"), ("GET", "c1:{p0}:text")])

    assert good in (True, b"PONG")
    assert isinstance(bad, ResponseError)
    assert after == b"x"


async def test_first_error_of_a_pipe_is_raised(redis: Connection) -> None:
    """Else a mistake would be taken for a reply."""
    await redis.call("SET", "c1:{p0}:text", "x")
    with pytest.raises(ResponseError):
        await redis.pipe([("PING",), ("INCR", "c1:{p0}:text")])


async def test_look_changes_nothing(redis: Connection) -> None:
    """Looking for new servers disturbs nobody."""
    await redis.call("SET", "c1:{p0}:text", "x")
    await redis.look()

    assert await redis.call("GET", "c1:{p0}:text") == b"x"


def test_key_of_a_command() -> None:
    """The first word that is a key of ours decides where a command goes; one without a key may go anywhere."""
    assert key_of(("XREAD", "COUNT", 1, "STREAMS", "c1:{dir}:changes", "0-0")) == "c1:{dir}:changes"
    assert key_of(("EVALSHA", "c1:", 1, "c1:{p3}:legs")) == "c1:{p3}:legs"
    assert key_of(("PING",)) == ""
