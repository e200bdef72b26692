"""How a fake provider misbehaves, and for which share of what it is asked: told by a line on its standard input."""

from __future__ import annotations

import random
from dataclasses import dataclass
from enum import StrEnum

import orjson


class Mood(StrEnum):
    """What a provider does with one message.  What it *took* counts as sent, whatever it answers."""

    CALM = "calm"  # takes it and says so
    SLOW = "slow"  # takes it at once and says so after some seconds
    THROTTLE = "throttle"  # does not take it: too many
    FAILS = "fails"  # does not take it: broken
    HANG = "hang"  # takes it and never answers
    RESET = "reset"  # takes it and cuts the connection
    REFUSE = "refuse"  # does not even listen


#: In these moods whoever asked cannot know whether it was taken.
AMBIGUOUS = frozenset({Mood.HANG, Mood.RESET, Mood.SLOW})


@dataclass(slots=True)
class Temper:
    """The present mood of a provider; ``share`` of the messages feel it, the others find it calm."""

    mood: Mood = Mood.CALM
    share: float = 1.0
    seconds: float = 1.0
    chance: random.Random = random.Random(0)  # noqa: RUF009 - replaced by the seed of the run

    def pick(self) -> Mood:
        """Return what becomes of the next message."""
        # Whoever still came in before the door was shut is served as ever.
        quiet = self.mood in {Mood.CALM, Mood.REFUSE}
        return Mood.CALM if quiet or self.chance.random() >= self.share else self.mood

    def hear(self, line: bytes) -> None:
        """Take a command: ``{"mood", "share", "seconds"}``."""
        told = orjson.loads(line)
        self.mood, self.share = Mood(told["mood"]), float(told.get("share", 1.0))
        self.seconds = float(told.get("seconds", 1.0))
