"""``merge.lua`` is the merge table of ``relay.tracking.states``, record for record."""

import random
import struct

from relay.store import scripts
from relay.tracking.states import Flag, Record, State, merge
from tests.contract.engine_side import Engine

PAIRS = 4000

_MERGE_ALL = """
local reply = {}
for i = 1, #ARGV, 2 do reply[#reply + 1] = merge(ARGV[i], ARGV[i + 1]) end
return reply
"""


def a_record(chance: random.Random) -> Record:
    """Return a record as different places write them: empty, by a sender, by a receipt, by a responder."""
    small = chance.choice([3, 256])
    return Record(
        state=chance.choice(list(State)),
        attempt=chance.randrange(small),
        send=chance.randrange(small),
        channel=chance.choice([0, 1, 2, 255]),
        reason=chance.choice([0, 1, 17, 255]),
        flags=Flag(chance.randrange(8)),
        answer=chance.choice([0, 0, 1, 9]),
        route=chance.choice([0, 0, 1, 2]),
        accepted=chance.choice([0, 1, 500, 2**32 - 1]),
        ended=chance.choice([0, 1, 700, 2**32 - 1]),
        due=chance.choice([0, 1, 900]),
        provider=chance.choice([0, 1, 2**32 - 1]),
    )


async def test_lua_merges_as_python_does(engine: Engine) -> None:
    """Whoever merges, Redis or a worker, the same 24 bytes result, on thousands of random pairs."""
    chance = random.Random(20260301)
    pairs = [(a_record(chance), a_record(chance)) for _ in range(PAIRS)]
    pairs += [(Record(), new) for _, new in pairs[:500]] + [(old, Record()) for old, _ in pairs[:500]]
    args = [part.pack() for pair in pairs for part in pair]
    script = scripts.source("merge") + _MERGE_ALL
    replies = [await engine.redis.call("EVAL", script, 0, *args[i : i + 1000]) for i in range(0, len(args), 1000)]
    merged = [cell for reply in replies for cell in reply]
    wrong = [
        (old, new, Record.unpack(cell))
        for (old, new), cell in zip(pairs, merged, strict=True)
        if cell != merge(old, new).pack()
    ]

    assert len(merged) == len(pairs)
    assert wrong == []


async def test_states_have_the_same_numbers(engine: Engine) -> None:
    """Lua's two constants are those of the table: terminal begins at 8, an acknowledgement is 17."""
    script = scripts.source("merge") + "\nreturn {TERMINAL, ACKNOWLEDGED, RECORD, struct.size(FORMAT)}"
    found = await engine.redis.call("EVAL", script, 0)

    assert found == [min(s for s in State if s.terminal), State.ACKNOWLEDGED, struct.calcsize("<8B4I"), 24]
