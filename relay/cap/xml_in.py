"""Reads CAP 1.2 XML into the neutral tree with the guarded standard parser; nothing outside the body is ever read.

The whole body is parsed in one call: the parser's time then grows with the length only.  A DOCTYPE is refused when it
opens, so no entity can be declared; comments and processing instructions are passed over.
"""

from __future__ import annotations

from collections.abc import Mapping
from xml.parsers import expat

from relay.cap.charsets import Choice, check_declared, choose
from relay.cap.fragment import SEPARATOR, FragmentWriter, qualified
from relay.cap.limits import Limits
from relay.cap.roots import root_refusal
from relay.cap.rules import refusal
from relay.cap.tree import CAP_NAMES, CAP_NAMESPACE, SCHEMA, Node
from relay.cap.xml_errors import not_well_formed
from relay.errors import InvalidAlert

_XSI = "http://www.w3.org/2001/XMLSchema-instance"
_LOCAL = {f"{CAP_NAMESPACE}{SEPARATOR}{name}": name for name in CAP_NAMES}
_BUFFER = 1 << 16


def read_xml(body: bytes, *, charset: str | None, limits: Limits, strict: bool) -> Node:
    """Return the tree of one CAP 1.2 document.

    Raises:
        relay.errors.InvalidAlert: status 400 for a document that cannot be read, 422 for a root that is not CAP 1.2.
    """
    if not body.strip():
        raise refusal("xml-empty")
    choice = choose(body, charset)
    reader = _Reader(limits, choice, strict=strict)
    try:
        reader.parse(body)
    except expat.ExpatError as error:
        raise not_well_formed(error, also=reader.refusal) from error
    except (LookupError, ValueError) as error:  # expat's way to say that it cannot use an encoding
        raise refusal("charset", charset=choice.encoding) from error
    return reader.root


class _Reader:
    """Expat's handlers; one use."""

    def __init__(self, limits: Limits, choice: Choice, *, strict: bool) -> None:
        self._limits = limits
        self._choice = choice
        self._strict = strict
        self._names = dict(_LOCAL)
        self._stack: list[Node] = []
        self._root: Node | None = None
        self._plain = False  # inside CAP elements, not in a foreign one or in markup
        self._depth = 0
        self._elements = 0
        self._fragments = 0
        self._scope: dict[str, list[str]] = {}
        self._declared: dict[str, str] = {}
        self._foreign: FragmentWriter | None = None
        self._markup = 0  # how deep we are in elements inside a value
        self.refusal: InvalidAlert | None = None
        self._instructions: set[str] = set()
        self._differs: Mapping[str, str] | None = None
        self._parser = expat.ParserCreate(choice.encoding or None, SEPARATOR)

    @property
    def root(self) -> Node:
        if self._root is None:
            raise refusal("xml-empty")
        return self._root

    def parse(self, body: bytes) -> None:
        parser = self._parser
        parser.buffer_text = True
        parser.buffer_size = _BUFFER
        parser.ordered_attributes = True
        parser.namespace_prefixes = True
        parser.XmlDeclHandler = self._declaration
        parser.StartDoctypeDeclHandler = self._doctype
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._data
        parser.CommentHandler = self._comment
        parser.StartNamespaceDeclHandler = self._declare
        parser.EndNamespaceDeclHandler = self._undeclare
        if self._strict:
            parser.ProcessingInstructionHandler = self._instruction
        try:
            parser.Parse(body, True)  # noqa: FBT003 - expat takes it by position only
        finally:
            del self._parser  # the handlers and the parser hold each other
        if self.refusal is not None:
            raise self.refusal
        for target in sorted(self._instructions)[:1]:
            self.root.fault("pi", name=target)
        if self._differs is not None:
            self.root.fault("charset-differs", **self._differs)

    def _line(self) -> int:
        return self._parser.CurrentLineNumber

    def _declaration(self, version: str, encoding: str | None, _standalone: int) -> None:
        if version != "1.0":
            raise refusal("xml-version", line=self._line(), version=version)
        if encoding:
            check_declared(encoding)
            if self._choice.differs(encoding):
                self._differs = {"declared": encoding, "by": self._choice.by, "used": self._choice.encoding.upper()}

    def _doctype(self, *_: object) -> None:
        raise refusal("doctype", line=self._line())

    def _instruction(self, target: str, _data: str) -> None:
        self._count()
        self._instructions.add(target)

    def _count(self, more: int = 1) -> None:
        """Count whatever costs a call: elements, attributes, comments, instructions."""
        self._elements += more
        if self._elements > self._limits.elements:
            raise refusal("elements", line=self._line(), limit=str(self._limits.elements))

    def _comment(self, _text: str) -> None:
        self._count()
        if self._stack and self._foreign is None and self._stack[-1].name not in SCHEMA:
            self._stack[-1].fault("comment", name=self._stack[-1].name)

    def _declare(self, prefix: str | None, uri: str | None) -> None:
        self._declared[prefix or ""] = uri or ""
        if len(self._declared) > self._limits.namespaces:
            raise refusal("attributes", line=self._line(), name="…", limit=str(self._limits.namespaces))
        self._scope.setdefault(prefix or "", []).append(uri or "")

    def _undeclare(self, prefix: str | None) -> None:
        self._scope[prefix or ""].pop()

    def _start(self, name: str, attributes: list[str]) -> None:
        """Take the short way for an ordinary CAP element, which is nearly every one."""
        local = self._names.get(name)
        if local and self._plain and not attributes and not self._declared and self._elements < self._limits.elements:
            parent = self._stack[-1]
            if local in SCHEMA.get(parent.name, ()):
                self._depth += 1
                self._elements += 1
                node = Node(local, self._parser.CurrentLineNumber)
                parent.children.append(node)
                self._stack.append(node)
                return
        self._start_any(name, attributes)

    def _start_any(self, name: str, attributes: list[str]) -> None:
        self._depth += 1
        self._count()
        if self._depth > self._limits.depth:
            raise refusal("depth", line=self._line(), limit=str(self._limits.depth))
        if attributes:
            self._check_attributes(name, attributes)
        declared = self._declared
        if declared:
            self._declared = {}
        if self._foreign is not None:
            self._foreign.start(name, attributes, declared)
        elif self._markup:
            self._markup += 1
        else:
            self._enter(name, attributes)

    def _enter(self, name: str, attributes: list[str]) -> None:
        local = self._names.get(name)
        if local is None:
            local = self._names[name] = self._local(name)
        line = self._line()
        if not self._stack:
            if local != "alert":
                self.refusal = root_refusal(name, line=line)  # said when the document turns out well-formed
                self._markup = 1
                return
            node = self._root = Node("alert", line)
        else:
            parent = self._stack[-1]
            places = SCHEMA.get(parent.name)
            if places is None:
                parent.fault("markup", inside=qualified(name), name=parent.name)
                self._markup = 1
                self._plain = False
                return
            if local not in places:
                self._capture(parent, name, attributes, known=local)
                return
            node = Node(local, line)
            parent.children.append(node)
        self._stack.append(node)
        self._plain = True
        if attributes:
            self._note_attributes(node, attributes)

    def _local(self, name: str) -> str:
        namespace, _, rest = name.partition(SEPARATOR)
        return rest.partition(SEPARATOR)[0] if namespace == CAP_NAMESPACE else ""

    def _capture(self, parent: Node, name: str, attributes: list[str], *, known: str) -> None:
        """Keep an element that is not CAP's, or not in its place, as text."""
        self._fragments += 1
        if self._fragments > self._limits.items:
            raise refusal("elements", line=self._line(), limit=str(self._limits.items))
        node = Node(known or qualified(name), self._line())
        node.raw = ""
        if known or name in CAP_NAMES:  # the namespace was lost on the way
            node.fault("unknown", name=node.name)
        parent.children.append(node)
        self._stack.append(node)
        self._plain = False
        self._foreign = FragmentWriter({prefix: uris[-1] for prefix, uris in self._scope.items() if uris})
        self._foreign.start(name, attributes, {})

    def _end(self, _name: str) -> None:
        self._depth -= 1
        if self._plain:
            self._stack.pop()
            self._plain = bool(self._stack)
        elif self._foreign is not None:
            if self._foreign.end():
                self._stack.pop().raw = self._foreign.text
                self._foreign = None
                self._plain = True
        elif self._markup:
            self._markup -= 1
            self._plain = not self._markup and bool(self._stack)

    def _data(self, text: str) -> None:
        if self._foreign is not None:
            self._foreign.data(text)
        elif self._stack:  # also inside markup: the words belong to the value around it
            self._stack[-1].text += text

    def _check_attributes(self, name: str, attributes: list[str]) -> None:
        if len(attributes) > 2 * self._limits.attributes:
            raise refusal("attributes", line=self._line(), name=qualified(name), limit=str(self._limits.attributes))
        if max(map(len, attributes)) > self._limits.text:
            raise refusal("attribute-long", line=self._line(), name=qualified(name), limit=str(self._limits.text))
        self._count(len(attributes) // 2)

    def _note_attributes(self, node: Node, attributes: list[str]) -> None:
        for key in attributes[::2]:
            if key.startswith(_XSI + SEPARATOR):
                node.fault("attribute-xsi", name=node.name, attribute=key.split(SEPARATOR)[1])
            else:
                node.fault("attribute", name=node.name, attribute=qualified(key))
