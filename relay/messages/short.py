"""The SMS text: the facts in their fixed order, shortened to the budget of the class.

What is lost, in this order, until the text fits (whole facts or whole sentences; status word, who and what stay):

1. areas after the first ("and 3 more"), 2. sentences of the instruction after the first, from the end, 3. until when,
4. the headline becomes the CAP event where that is shorter, 5. the end of a very long who, 6. where, 7. how to
answer (then the others have its room), 8. the end of the instruction's first sentence.  Only when status word, who
and what alone are too long is the what cut.  An instruction keeps its first sentence whole as long as anything else
can go: half a sentence can mean its opposite.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from relay.adapter import Class, Hole, Template
from relay.messages.facts import Facts, closed, facts_of
from relay.messages.graphemes import shorten
from relay.messages.holes import at_longest
from relay.messages.message import Message
from relay.messages.sms import count, fold

URGENT_PARTS = 2
"""P0 and P1: each part is one more radio message that can be lost, and the crowded cell must carry every one."""

OTHER_PARTS = 3
"""Other classes: three parts hold an instruction of two sentences in Cyrillic; beyond that nobody reads on."""

_MOST = 600  # characters; no budget holds more
_WHO = 40  # characters of an agency's name that are enough to know it again
_LEAST = 20  # characters of an instruction below which a cut sentence says nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class _Draft:
    """Which facts are still in, and how much of them."""

    facts: Facts
    answer: tuple[str | Hole, ...]
    who: str
    what: str
    where: str
    do: str
    until: str

    def parts(self, prefix: str) -> Template:
        """Return the text with ``prefix`` (the status word) before it."""
        facts = self.facts
        subject = ", ".join(part for part in (self.what, self.where) if part)
        what = ": ".join(part for part in (facts.lead, subject) if part)
        said = " ".join(part for part in (closed(facts.change), closed(what), self.do, self.until) if part)
        body = fold(f"{prefix}{self.who}: {said}".strip())
        return Template((f"{body} ", *self.answer) if self.answer else (body,))


def parts_allowed(klass: Class) -> int:
    """Return how many SMS parts a message of this class may cost."""
    return URGENT_PARTS if klass in (Class.P0, Class.P1) else OTHER_PARTS


def sms_text(message: Message, *, prefix: str) -> Template:
    """Return the SMS text within its budget, counted with its link at its longest.

    ``prefix`` is what the core will put first: it is counted and not included.
    """
    allowed = parts_allowed(message.klass)

    def fits(draft: _Draft) -> bool:
        return count(at_longest(draft.parts(fold(prefix)), ack_url=message.ack_url_length)).parts <= allowed

    whole = _whole(message)
    for draft in _ever_shorter(whole, message):
        if fits(draft):
            return draft.parts("")
    least = _least(whole)
    return replace(least, what=shorten(least.what, lambda text: fits(replace(least, what=text)))).parts("")


def _whole(message: Message) -> _Draft:
    facts = facts_of(message)
    # What is longer than any budget is cut here, so that a headline of a megabyte costs nothing below.
    facts = replace(facts, do=_first_of(facts.do), event=facts.event[:_MOST])
    return _Draft(
        facts=facts,
        answer=_answer(message),
        who=facts.who[:_MOST],
        what=facts.what[:_MOST],
        where=", ".join(facts.areas)[:_MOST],
        do=" ".join(facts.do),
        until=facts.until,
    )


def _first_of(sentences: tuple[str, ...]) -> tuple[str, ...]:
    """Return the sentences that begin within the longest message; the first one always."""
    kept: list[str] = []
    used = 0
    for sentence in sentences:
        if used > _MOST:
            break
        kept.append(sentence[:_MOST])
        used += len(sentence)
    return tuple(kept)


def _answer(message: Message) -> tuple[str | Hole, ...]:
    """Return how to answer: a digit where a reply arrives, else a link; nothing to answer when it is over."""
    words = message.words
    if message.withdraws:
        return ()
    if message.two_way:
        return (fold(words.say("reply" if message.alert.status == "Actual" else "reply_drill")),)
    before, _, after = words.words["link"].partition("{link}")
    return tuple(part for part in (fold(before), Hole.ACK_URL, fold(after)) if part)


def _ever_shorter(draft: _Draft, message: Message) -> Iterator[_Draft]:
    """Yield the message with ever fewer facts, in the order of the module's docstring."""
    yield from _fewer_facts(draft, message)
    yield from _fewer_facts(replace(draft, answer=()), message)  # what a long link had pushed out has room again
    first = draft.facts.do[0] if draft.facts.do else ""
    yield from _cut_sentences(replace(_least(draft), do=first))


def _fewer_facts(draft: _Draft, message: Message) -> Iterator[_Draft]:
    """Yield ``draft`` with all its facts, then with ever fewer, down to who, what and the first thing to do."""
    facts = draft.facts
    yield draft
    if len(facts.areas) > 1:
        more = message.words.say("more_areas", n=len(facts.areas) - 1)
        draft = replace(draft, where=f"{facts.areas[0]} {more}")
        yield draft
    for kept in range(len(facts.do) - 1, 0, -1):
        draft = replace(draft, do=" ".join(facts.do[:kept]))
        yield draft
    draft = replace(draft, until="")
    yield draft
    if facts.event and len(facts.event) < len(draft.what):
        draft = replace(draft, what=facts.event)
        yield draft
    draft = replace(draft, who=_short_who(facts.who))
    yield draft
    yield replace(draft, where="")


def _cut_sentences(draft: _Draft) -> Iterator[_Draft]:
    """Yield ever shorter beginnings of the first sentence, cut after whole words."""
    words = draft.do.split(" ")
    for kept in range(len(words) - 1, 0, -1):
        text = " ".join(words[:kept]).rstrip(",;:-. ")
        if len(text) < _LEAST:
            return
        yield replace(draft, do=f"{text}...")


def _short_who(who: str) -> str:
    return shorten(who[:_MOST], lambda text: len(text) <= _WHO)


def _least(draft: _Draft) -> _Draft:
    """Return who and what alone."""
    facts = draft.facts
    what = min((facts.event or draft.what, draft.what), key=len)
    return replace(draft, answer=(), who=_short_who(facts.who), what=what, where="", do="", until="")
