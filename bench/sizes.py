"""How large the measured runs are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Numbers of recipients, repetitions and seconds of every figure.

    ``runs`` is how often each figure is taken.  ``crowd`` recipients get the alerts of E1 and E4, everybody of the
    directory of ``million`` those of E2, E3, E8, E9 and E11, ``few`` those of an audience that is small beside it.
    ``small`` are the alerts of E1s.  ``piles``, ``flashes``, ``urgent`` and ``slow`` belong to E4, ``mixed`` seconds to
    E4m, ``plans`` to E3, ``cancels`` to E9, ``bursts`` to E8.  ``hooks``, ``mails`` and ``texts`` are sent, ``at_once``
    webhooks at a time.
    ``accepts`` are posted in E7, ``answers`` come in for E12.  ``places`` are matched in E10.
    ``jobs`` are what each peer gets, by name.
    """

    runs: int = 3
    crowd: int = 200_000
    million: int = 1_000_000
    few: int = 10_000
    small: int = 10_000
    piles: int = 8
    flashes: int = 50
    urgent: int = 8
    slow: int = 4_000
    mixed: float = 60.0
    plans: int = 15
    cancels: int = 4
    bursts: int = 10
    hooks: int = 20_000
    at_once: int = 64
    mails: int = 10_000
    texts: int = 20_000
    ids: int = 50_000
    accepts: int = 15_000
    answers: int = 15_000
    places: int = 1_000_000
    jobs_bullmq: int = 40_000
    jobs_arq: int = 8_000
    jobs_celery: int = 3_000
    bare_seconds: float = 1.0
    listening: float = 20.0


QUICK = Sizes(
    runs=1,
    crowd=2_000,
    million=10_000,
    few=500,
    small=100,
    piles=2,
    flashes=2,
    urgent=1,
    slow=200,
    mixed=2.0,
    plans=2,
    cancels=1,
    bursts=2,
    hooks=300,
    at_once=16,
    mails=300,
    texts=600,
    ids=500,
    accepts=300,
    answers=300,
    places=20_000,
    jobs_bullmq=1_000,
    jobs_arq=300,
    jobs_celery=200,
    bare_seconds=0.2,
    listening=2.0,
)
