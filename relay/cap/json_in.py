"""Reads an alert in JSON into the neutral tree: CAP's names, CAP's values, nothing that JSON readers disagree on."""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable

from relay.cap.fragment_in import read_fragment
from relay.cap.limits import Limits
from relay.cap.rules import clip, refusal
from relay.cap.tree import SCHEMA, Node
from relay.cap.words import write_words

_SURROGATE = re.compile("[\ud800-\udfff]")
_JOINED = frozenset({"references", "addresses", "incidents"})

_STRINGS = re.compile(r'"(?:[^"\\]|\\.)*"')


class _Number(str):
    """A JSON number as it was written."""

    __slots__ = ()


def read_json(body: bytes, *, limits: Limits, strict: bool) -> Node:
    """Return the tree of one JSON alert.

    Raises:
        relay.errors.InvalidAlert: status 400 for what is not clean JSON, 422 for a root that is no object.
    """
    text = _decode(body, strict=strict)
    _check_size(text, limits)
    number = _number_reader(limits)
    try:
        value = json.loads(
            text, object_pairs_hook=_unique, parse_constant=_constant, parse_int=number, parse_float=number
        )
    except json.JSONDecodeError as error:
        if _depth(text[: error.pos]) > limits.depth:  # Python 3.13 reads deeper before it gives up
            raise refusal("depth", limit=str(limits.depth)) from error
        raise refusal("json", line=error.lineno, why=error.msg, column=str(error.colno)) from error
    except RecursionError as error:
        raise refusal("depth", limit=str(limits.depth)) from error
    if not isinstance(value, dict):
        raise refusal("json-root", what=_kind(value))
    root = Node("alert", None)
    _Reader(limits).members(root, value, depth=1)
    return root


def _decode(body: bytes, *, strict: bool) -> str:
    if not body.strip():
        raise refusal("json-empty")
    encoding = json.detect_encoding(body)
    if strict and (encoding != "utf-8" or body.startswith(codecs.BOM_UTF8)):
        raise refusal("json-bom")
    try:
        text = body.decode(encoding)
    except UnicodeDecodeError as error:
        raise refusal("json-unicode", why=f"{error.reason} at byte {error.start}") from error
    if not text.strip():
        raise refusal("json-empty")
    return text


def _check_size(text: str, limits: Limits) -> None:
    """Refuse what cannot be an alert before values are made of it: a member or text has two quotes or four."""
    opened = text.count("[") + text.count("{")
    if opened > limits.elements and "[" * (limits.depth + 1) in text:
        raise refusal("depth", limit=str(limits.depth))
    if opened > limits.elements or text.count('"') > 4 * limits.elements:
        raise refusal("json-members", limit=str(limits.elements))


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) < len(pairs):
        seen: set[str] = set()
        for name, _ in pairs:
            if name in seen:
                raise refusal("json-duplicate", name=name)
            seen.add(name)
    return members


def _constant(token: str) -> object:
    raise refusal("json-nan", token=token)


def _number_reader(limits: Limits) -> Callable[[str], _Number]:
    count = 0

    def read(text: str) -> _Number:
        nonlocal count
        count += 1
        if count > limits.elements:
            raise refusal("json-members", limit=str(limits.elements))
        if len(text) > limits.number:
            raise refusal("json-number", digits=str(len(text)), limit=str(limits.number))
        return _Number(text)

    return read


def _depth(text: str) -> int:
    """Return how many objects and lists are open at the end of ``text``."""
    bare = _STRINGS.sub("", text)
    return bare.count("{") + bare.count("[") - bare.count("}") - bare.count("]")


def _kind(value: object) -> str:
    if isinstance(value, _Number):
        return "a number"
    kinds = {dict: "an object", list: "a list", str: "text", bool: "true or false"}
    return kinds.get(type(value), "null")


class _Reader:
    """Turns JSON values into nodes; one use."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._count = 0

    def members(self, node: Node, value: dict[str, object], *, depth: int) -> None:
        """Add the members of a JSON object to its node."""
        if depth > self._limits.depth:
            raise refusal("depth", limit=str(self._limits.depth))
        if len(value) > self._limits.members:
            raise refusal("json-members", limit=str(self._limits.members))
        places = SCHEMA[node.name]
        for name, member in value.items():
            if name == "extensions":
                self._extensions(node, member)
            elif name not in places:
                self._child(node, name, _step(name)).fault("json-field", name=name)
            elif isinstance(member, list):
                self._list(node, name, member, depth=depth)
            else:
                child = self._child(node, name, name)
                if places[name].many and member is not None:
                    child.fault("json-single", name=name)
                self._value(child, member, depth=depth)

    def _list(self, node: Node, name: str, items: list[object], *, depth: int) -> None:
        if name in _JOINED:
            child = self._child(node, name, name)
            child.fault("json-list", name=name)
            words = [item for item in items if isinstance(item, str)]
            if len(words) < len(items):
                self._wrong(child, items, wanted=("a list of texts", "списком текстов"))
            for word in words:
                self._clean(word)
            child.text = " ".join(words) if name == "references" else write_words(words)
            return
        for index, item in enumerate(items):
            self._value(self._child(node, name, f"{name}/{index}"), item, depth=depth)

    def _value(self, node: Node, value: object, *, depth: int) -> None:
        container = node.name in SCHEMA
        if value is None:
            node.fault("json-null", name=node.name)
        elif isinstance(value, dict) and container:
            self.members(node, value, depth=depth + 1)
        elif isinstance(value, str) and not container:
            self._clean(value)
            node.text = value
            if isinstance(value, _Number):
                node.fault("json-scalar", name=node.name)
        elif container:
            self._wrong(node, value, wanted=("an object", "объектом"))
        else:
            self._wrong(node, value, wanted=("text", "текстом"))

    def _extensions(self, node: Node, value: object) -> None:
        items = value if isinstance(value, list) else [value]
        for index, item in enumerate(items):
            child = self._child(node, "extensions", f"extensions/{index}")
            text = read_fragment(item, self._limits) if isinstance(item, str) else None
            if text is None:
                self._wrong(child, item, wanted=("the text of one XML element", "текстом одного элемента XML"))
            else:
                child.raw = text

    def _child(self, node: Node, name: str, step: str) -> Node:
        self._count += 1
        if self._count > self._limits.elements:
            raise refusal("elements", limit=str(self._limits.elements))
        child = Node(name, None, step=step)
        node.children.append(child)
        return child

    def _clean(self, text: str) -> None:
        if not text.isascii() and _SURROGATE.search(text):
            raise refusal("json-unicode", why="half of a surrogate pair")

    def _wrong(self, node: Node, value: object, *, wanted: tuple[str, str]) -> None:
        node.fault("json-type", name=node.name, wanted=wanted[0], wanted_ru=wanted[1], what=_kind(value))


def _step(name: str) -> str:
    """Return a member's name as a part of a JSON Pointer (RFC 6901), shortened."""
    return clip(name).replace("~", "~0").replace("/", "~1")
