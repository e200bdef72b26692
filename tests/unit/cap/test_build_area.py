from __future__ import annotations

from relay.cap.build_area import AreaBuilder
from relay.cap.limits import Limits
from relay.cap.rules import Findings
from relay.cap.tree import Node
from tests.unit.cap.samples import POLYGON


def area(*polygons: str) -> Node:
    node = Node("area", 1)
    for name, text in (("areaDesc", "a"), *(("polygon", polygon) for polygon in polygons)):
        child = Node(name, 2)
        child.text = text
        node.children.append(child)
    return node


def test_points_are_counted_over_all_areas() -> None:
    """The bound is the alert's, not the area's; it is said once."""
    findings = Findings(strict=False)
    builder = AreaBuilder(findings, Limits(max_vertices=12), ordered=True)
    areas = [builder.area((area(POLYGON, POLYGON),)) for _ in range(3)]

    assert [len(one.polygons) for one in areas] == [2, 0, 0]
    assert [finding.rule for finding in findings.all] == ["RELAY-LIMIT"]
    assert len(builder.shapes) == 2
    assert [model for model, _ in builder.built] == areas
