"""What is posted repeats by its seed, in the shares that were asked for, and is what its role says."""

from __future__ import annotations

import random
from collections import Counter

import pytest

from relay.cap.limits import Limits
from relay.cap.model import Alert
from relay.cap.parse import parse_json, parse_xml
from relay.cap.priority import alert_class
from tests.chaos import alerts
from tests.chaos.alerts import CLASSES
from tests.chaos.matcher import readers
from tests.chaos.mix import XML, Mix, Role, Step
from tests.chaos.people import people


def drawn(seed: int, count: int = 2_000) -> list[Step]:
    mix = Mix(seed)
    return [mix.step() for _ in range(count)]


def parsed(step: Step) -> Alert:
    """Return a post as the relay reads it."""
    limits = Limits()
    if step.media == XML:
        return parse_xml(step.body, charset=None, limits=limits, strict=False).alert
    return parse_json(step.body, limits=limits, strict=False).alert


def test_a_seed_repeats() -> None:
    """Roles, numbers and media of one seed are always the same; only times differ."""
    one, two = drawn(3, 300), drawn(3, 300)

    assert [(s.role, s.number, s.of, s.media) for s in one] == [(s.role, s.number, s.of, s.media) for s in two]


def test_shares() -> None:
    """About 70 % new, 20 % exact retries, 5 % corrections, 5 % bad."""
    roles = Counter(step.role for step in drawn(1))
    corrections = roles[Role.UPDATE] + roles[Role.CANCEL] + roles[Role.REVOKE]
    bad = roles[Role.BAD] + roles[Role.CONFLICT] + roles[Role.PLACELESS]

    assert 0.66 < roles[Role.NEW] / 2_000 < 0.76
    assert 0.16 < roles[Role.RETRY] / 2_000 < 0.24
    assert 0.03 < corrections / 2_000 < 0.07
    assert 0.03 < bad / 2_000 < 0.07


def test_a_retry_has_the_same_bytes() -> None:
    """A retry is one of the earlier posts, to the last byte."""
    bodies: set[bytes] = set()
    for step in drawn(2, 400):
        if step.role is Role.RETRY:
            assert step.body in bodies
        bodies.add(step.body)


@pytest.mark.parametrize("klass", CLASSES)
def test_classes_are_what_the_design_calls_them(klass: str) -> None:
    """The judge's table of classes and the relay's agree; they were written apart."""
    mix = Mix(1)
    document = alerts.alert(random.Random(1), 1, klass=klass, wide=True)
    step = mix._posted(Role.NEW, document)

    assert alert_class(parsed(step), flash_events=()) == klass


def test_a_burst_ends_with_the_flash() -> None:
    """Low ones for everybody, one of them short, then ever worse ones and a flash."""
    mix = Mix(1)
    mix.burst()
    steps = [mix.step() for _ in range(7)]
    severities = [step.document["info"][0]["severity"] for step in steps]

    assert severities == ["Minor", "Minor", "Minor", "Minor", "Moderate", "Severe", "Extreme"]
    assert all(len(readers(step.document, people(1, count=60, hooks=["http://h"]))) > 30 for step in steps)
