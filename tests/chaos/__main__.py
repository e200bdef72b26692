"""``./run chaos``: seeded faults against a real relay, judged from outside; 0 only when the judge is content."""

from __future__ import annotations

import argparse
import asyncio
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import orjson

from tests.chaos import campaign, mutants, report
from tests.chaos.rounds import Round

#: What each word of ``--topology`` plays, in turn.
TOPOLOGIES = {
    "local": ("private", "standalone"),
    "all": ("private", "standalone", "sentinel", "cluster"),
    "private": ("private",),
    "standalone": ("standalone",),
    "sentinel": ("sentinel",),
    "cluster": ("cluster",),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what was asked; returns the exit code."""
    asked = _arguments(arguments)
    began = time.monotonic()

    def say(text: str) -> None:
        if not asked.quiet:
            print(f"{time.monotonic() - began:7.1f} s  {text}", file=sys.stderr, flush=True)

    if asked.results:
        _report(orjson.loads(Path(asked.results).read_bytes()), asked.report)
        return 0
    if asked.mutants is not None:
        return asyncio.run(mutants.run_all(asked.mutants, say))
    first = Round(seed=asked.seed, seconds=asked.seconds, rate=asked.rate, workers=asked.workers)
    results = asyncio.run(
        campaign.campaign(
            first,
            seconds=asked.minutes * 60,
            rounds=asked.rounds,
            topologies=TOPOLOGIES[asked.topology],
            say=say,
            keep=asked.keep,
        )
    )
    found = campaign.document(results)
    if asked.output:
        Path(asked.output).parent.mkdir(parents=True, exist_ok=True)
        Path(asked.output).write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2) + b"\n")
    if asked.report:
        _report(found, asked.report)
    print(orjson.dumps(found).decode() if asked.json else campaign.table(results))
    return 0 if found["content"] else 1


def _report(found: dict[str, object], path: str) -> None:
    text = report.page(found)
    if path:
        Path(path).write_text(text, encoding="utf-8")
    else:
        print(text)


def _arguments(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./run chaos", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first round's; each further round takes the next")
    parser.add_argument("--minutes", type=float, default=3.0, help="no round begins that would not end within them")
    parser.add_argument("--rounds", type=int, default=0, help="so many rounds, however long they take")
    parser.add_argument(
        "--topology",
        choices=TOPOLOGIES,
        default="local",
        help="where Redis is (default: private and standalone in turn)",
    )
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=25.0, help="of load in each round")
    parser.add_argument("--rate", type=float, default=8.0, help="posts a second")
    parser.add_argument("--json", action="store_true", help="print everything as JSON instead of a table")
    parser.add_argument("--output", metavar="FILE", default="", help="write everything as JSON")
    parser.add_argument("--report", metavar="FILE", default="", help="write the page about it")
    parser.add_argument("--results", metavar="FILE", default="", help="play nothing; make the page from that JSON")
    parser.add_argument(
        "--mutants", nargs="*", metavar="NAME", default=None, help="do planted bugs fail? all, or these"
    )
    parser.add_argument("--keep", action="store_true", help="keep the logs of rounds that went well, too")
    parser.add_argument("--quiet", action="store_true", help="no progress")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
