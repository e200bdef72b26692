"""The page about a campaign, made from its results and nothing else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from tests.chaos.verdict import CHECKS

_PROMISES = {
    "C1": "everybody who is due has a delivery that ended, and a reason when it did not arrive",
    "C2": "what is called delivered was sent; what is called unsent was not",
    "C3": "nothing is sent that nobody asked for, to nobody who is not due, in no other words",
    "C4": "whoever was told twice is labelled",
    "C4b": "every copy and every label has a fault that explains it",
    "C5": "a post that got no answer is told once or never",
    "C6": "one message, one id, one content; retries 200, conflicts 409",
    "C7": "nothing is sent after it expired, or more than 1 s after its cancel or update was accepted",
    "C8": "urgent classes in their time, and before less urgent ones on the same channel",
    "C9": "what has ended does not go back (some alerts are looked at while they are sent)",
    "C10": "counters equal a recount",
    "C11": "what was answered is there after all was healed",
    "T": "everything ended within 60 s after all was healed",
    "H": "no server error but 503",
    "A": "a valid alert is accepted within 5 s unless the API process itself is away",
}


def page(found: Mapping[str, Any]) -> str:
    """Return the page as Markdown."""
    return "\n".join(
        [
            "# The fault campaign",
            "",
            "Made by `./run chaos --results … --report docs/campaign.md` from the results of one run; not written by hand.",
            "How it works: [tests/chaos](../tests/chaos/README.md).",
            "",
            *_about(found),
            *_sums(found["sums"]),
            *_checks(found["sums"]["broken"]),
            *_faults(found["sums"]["faults"]),
            *_times(found["rounds"]),
            *_rounds(found["rounds"]),
        ]
    )


def _about(found: Mapping[str, Any]) -> list[str]:
    machine = found["machine"]
    said = "The judge was content with every round." if found["content"] else "**The judge was not content.**"
    topologies = ", ".join(sorted({r["topology"] for r in found["rounds"]}))
    where = ", ".join(
        f"{value} cores" if name == "cores" else str(value) for name, value in machine.items() if name != "load"
    )
    return [
        f"{found['at']}, commit {found.get('commit') or 'unknown'}: {len(found['rounds'])} rounds in {found['minutes']} minutes "
        f"(load of the machine at the end: {machine.get('load', '?')}) on {where}. Redis: {topologies}. {said}",
        "",
    ]


def _sums(sums: Mapping[str, Any]) -> list[str]:
    answers = sums["answers"]
    rows = [
        ("requests", answers.get("requests", 0)),
        ("… answered", answers.get("ok", 0)),
        ("… refused a connection, or 503", answers.get("fail", 0)),
        ("… without an answer", answers.get("info", 0)),
        ("… accepted while Redis was away", answers.get("redis_pending", 0)),
        ("alerts", sums["alerts"]),
        ("deliveries", sums["deliveries"]),
        ("messages that reached a provider", sums["sends"]),
        ("copies", sums["copies"]),
        ("… to receivers that drop them by `webhook-id`", sums["dropped_by_receiver"]),
        ("deliveries labelled `possible_duplicate`", sums["labelled"]),
        ("messages near a fault: the bound of copies", sums["bound"]),
    ]
    states = ", ".join(f"{name} {count:,}" for name, count in sorted(sums["states"].items(), key=lambda s: -s[1]))
    return ["| | |", "|---|---:|", *(f"| {name} | {count:,} |" for name, count in rows), "", f"Ends: {states}.", ""]


def _checks(broken: Mapping[str, int]) -> list[str]:
    rows = [f"| {check} {word} | {_PROMISES[check]} | {broken.get(check, 0)} |" for check, word in CHECKS.items()]
    return ["## What the judge looked for", "", "| check | promise | broken |", "|---|---|---:|", *rows, ""]


def _faults(faults: Mapping[str, int]) -> list[str]:
    targets: dict[str, list[str]] = {}
    for name, count in sorted(faults.items()):
        target, _, what = name.partition(" ")
        targets.setdefault(target, []).append(f"{what} {count}")
    rows = [f"| {target} | {', '.join(names)} |" for target, names in targets.items()]
    return [f"## What was done: {sum(faults.values())} faults", "", "| to | what, how often |", "|---|---|", *rows, ""]


def _times(rounds: Sequence[Mapping[str, Any]]) -> list[str]:
    """The worst of all rounds: percentiles of several rounds cannot be added."""
    names = sorted({name for r in rounds for name in r.get("first_send", {})})
    rows = []
    for name in names:
        seen = [r["first_send"][name] for r in rounds if name in r.get("first_send", {})]
        middle = sorted(one["p50"] for one in seen)[len(seen) // 2]
        rows.append(
            f"| {name} | {sum(one['n'] for one in seen):.0f} | {middle:.3f} | {max(one['max'] for one in seen):.3f} |"
        )
    head = "| class | alerts | median of the rounds' medians (s) | worst (s) |"
    return ["## From the 202 to the first provider", "", head, "|---|---:|---:|---:|", *rows, ""]


def _rounds(rounds: Sequence[Mapping[str, Any]]) -> list[str]:
    rows = [
        f"| {r['seed']} | {r['topology']} | {sum(r.get('faults', {}).values())} | {r.get('deliveries', 0):,} | "
        f"{r.get('copies', 0)} | {r['drain']} | {_said(r)} |"
        for r in rounds
    ]
    failed = [r for r in rounds if not r["content"]]
    again = ["", "Again:", "", *(f"    {r['command']}" for r in failed)] if failed else []
    found = [f"* seed {r['seed']}: {f['check']} {f['said']}" for r in failed for f in r["findings"][:3]]
    head = "| seed | Redis | faults | deliveries | copies | drained (s) | judge |"
    return ["## Rounds", "", head, "|---:|---|---:|---:|---:|---:|---|", *rows, *again, "", *found, ""]


def _said(round_: Mapping[str, Any]) -> str:
    return "content" if round_["content"] else ", ".join(f"{name} {n}" for name, n in round_["broken"].items())
