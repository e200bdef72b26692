from __future__ import annotations

from relay.cap.tree import CAP_NAMES, SCHEMA, Node, Paths


def test_xpath_counts_siblings_of_the_same_name() -> None:
    """An XPath says which of several siblings is meant."""
    root, info, first, second = Node("alert", 1), Node("info", 2), Node("area", 3), Node("area", 4)
    root.children.append(info)
    info.children += [first, Node("headline", 3), second]

    assert Paths().of((root, info, second)) == "/alert/info[1]/area[2]"
    assert Paths().of((root,)) == "/alert"


def test_json_pointer_is_made_of_steps() -> None:
    """A JSON Pointer is the steps below the root."""
    root, info, area = Node("alert", None), Node("info", None, step="info/0"), Node("area", None, step="area/1")

    assert Paths().of((root, info, area)) == "/info/0/area/1"
    assert Paths().of((root,)) == ""


def test_schema_is_caps() -> None:
    """Order, repetition and duty are CAP's."""
    assert list(SCHEMA["alert"])[:4] == ["identifier", "sender", "sent", "status"]
    assert [name for name, place in SCHEMA["info"].items() if place.required] == [
        "category",
        "event",
        "urgency",
        "severity",
        "certainty",
    ]
    assert SCHEMA["area"]["polygon"].many
    assert SCHEMA["area"]["areaDesc"].rule == "CAP-029"
    assert {"derefUri", "valueName", "alert"} <= CAP_NAMES


def test_faults_are_kept_in_order() -> None:
    """What readers notice stays with the node."""
    node = Node("event", 1)
    node.fault("comment", name="event")
    node.fault("markup", inside="b", name="event")

    assert [fault.key for fault in node.faults or ()] == ["comment", "markup"]
