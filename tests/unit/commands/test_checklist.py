"""A checklist: lines, counts, exit code."""

import json

from relay.commands.checklist import checklist_lines, document, error, exit_code, ok, remark, warning


def test_lines_are_counted() -> None:
    """The last line says whether there is something to do."""
    lines = checklist_lines([ok("a", "fine"), warning("bb", "slow"), error("c", "broken"), error("d", "broken")])

    assert lines[0] == "ok       a   fine"
    assert lines[-1] == "2 errors, 1 warning"
    assert checklist_lines([ok("a", "fine"), remark("b", "x")])[-1] == "everything is as it should be"


def test_only_errors_are_1() -> None:
    """A warning does not stop an installation script."""
    assert exit_code([warning("a", "b")]) == 0
    assert exit_code([warning("a", "b"), error("c", "d")]) == 1


def test_machines_get_an_object() -> None:
    """The same for machines."""
    assert json.loads(document([error("c", "d")])) == {
        "ok": False,
        "items": [{"level": "error", "subject": "c", "text": "d"}],
    }
