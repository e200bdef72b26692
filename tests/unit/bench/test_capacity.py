"""The plans are what the formulas make of the slopes, on the page too."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench.capacity import BEGIN, END, MEANING, ROWS, WISHES, Plan, Slopes, Wish, plan, section, slopes_on, written

PAGE = Path(__file__).parents[3] / "docs" / "capacity.md"
SLOPES = Slopes(
    engine_per_s=80_000,
    webhooks_per_s=8_000,
    mails_per_s=5_000,
    texts_per_s=6_000,
    redis_us=2,
    record_bytes=25,
    id_bytes=50,
    directory_bytes=400,
    aof_bytes=30,
    worker_mb=100,
    worker_mb_per_million=80,
    plan_ms_per_million=100,
    start_s_per_million=3,
)


def test_a_plan_is_what_the_formulas_say() -> None:
    """Ten million in ten minutes, by hand."""
    made = plan(SLOPES, Wish(recipients=10_000_000, minutes=10, provider=1_000))

    assert made.needed_per_s == pytest.approx(16_666.7, abs=0.1)
    assert (made.workers_engine, made.workers_texts, made.workers_mails, made.workers_webhooks) == (1, 3, 4, 3)
    assert (made.contracts, made.primaries) == (17, 1)
    assert made.redis_cores == pytest.approx(1 / 30)
    assert made.redis_gb == pytest.approx(10e6 * (400 + 3 * 50) / 1e9 / 0.8)
    assert made.machine_gb == pytest.approx(1.5 * made.redis_gb)
    assert [made.worker_gb, made.plan_s, made.start_s] == pytest.approx([0.9, 1, 30])
    assert made.aof_mb_per_s == pytest.approx(0.5)


def test_more_redis_is_planned_when_one_would_be_too_busy() -> None:
    """No primary is to use more than half a core."""
    made = plan(SLOPES, Wish(recipients=1_000_000_000, minutes=10, provider=1_000))

    assert made.redis_cores == pytest.approx(10 / 3)
    assert made.primaries == 7


def test_slopes_can_be_read_off_what_was_written() -> None:
    """Whoever has the page can plan again; every slope and every line of a plan has its words."""
    text = section(SLOPES, WISHES, source="Measured somewhere.")

    assert slopes_on(text) == SLOPES
    assert set(MEANING) == set(Slopes.__slots__)
    assert set(ROWS) == set(Plan.__slots__)


def test_only_what_is_between_the_marks_changes() -> None:
    """The formulas around it are written by hand."""
    page = f"before\n{BEGIN}\nold\n{END}\nafter\n"
    text = section(SLOPES, WISHES, source="Measured somewhere.")

    assert written(page, text) == f"before\n{text}\nafter\n"
    with pytest.raises(ValueError, match="not found"):
        written("nothing", text)


def test_the_page_holds_what_its_own_slopes_make() -> None:
    """Nobody edits a plan by hand, and no formula changes without the page."""
    page = PAGE.read_text(encoding="utf-8")
    between = page[page.index(BEGIN) : page.index(END) + len(END)]
    source = between.splitlines()[2]

    assert section(slopes_on(page), WISHES, source=source) == between
