"""Which mailboxes are written to: the ASCII subset of RFC 5321 that cannot carry anything but an address."""

from __future__ import annotations

import re

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_MAILBOX = re.compile(rf"(?=[^@]{{1,64}}@)(?=.{{3,254}}\Z){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*", re.ASCII)


def is_mailbox(text: str) -> bool:
    """Return whether ``text`` is one plain mailbox.

    Quoted local parts, address literals, comments and letters beyond ASCII are not (an international domain is
    written in its ``xn--`` form); nor is anything with a space, a line break or NUL.
    """
    return _MAILBOX.fullmatch(text) is not None
