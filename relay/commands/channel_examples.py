"""Blocks of configuration to copy: one for each adapter that comes with the relay, and a bare one for any other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import BaseModel

SMPP = """\
[channels.sms-primary]
adapter = "smpp"
order = 1                       # lower is tried first
rate = 50                       # SMS parts a second that the operator allows
lanes = ["live", "drill"]       # exercises go only where "drill" stands
match = ["+7", "+996"]          # beginnings of numbers that it takes; [] is all

[channels.sms-primary.settings]
host = "smsc.operator.example"
port = 2775
tls = false                     # true: with tls_ca_file for a private authority
system_id = "chapar"
password_file = "/etc/chapar/sms-primary.password"
source_addr = "112"             # digits can be answered; a name of at most 11 letters cannot
two_way = true                  # people can answer "1" to this sender
"""

SMTP = """\
[channels.mail]
adapter = "smtp"
order = 1
rate = 20                       # mails a second
lanes = ["live", "drill"]

[channels.mail.settings]
host = "mail.meteo.example"
port = 587
tls = "starttls"                # none, starttls or implicit (465)
username = "chapar"
password_file = "/etc/chapar/mail.password"
sender = "warnings@meteo.example"
"""

WEBHOOK = """\
[channels.webhook]
adapter = "webhook"             # addresses and secrets belong to the recipients
order = 1
lanes = ["live", "drill"]

[channels.webhook.settings]
timeout = 10.0                  # seconds for one post
format = "json"                 # cap: the agency's own document

# Hosts in a private network are refused unless they stand here:
# [egress]
# allow = ["hospital4.lan:8443", "10.20.0.0/16:443"]
"""

CONSOLE = """\
[channels.rehearsal]
adapter = "console"             # nothing leaves: for trying out and for drills
lanes = ["drill"]

[channels.rehearsal.settings]
kind = "sms"                    # sms, email or webhook: what it stands in for
path = "./var/rehearsal.ndjson" # one line a message, with addresses and texts; leave out for the log alone
"""

EXAMPLES: Mapping[str, str] = {"console": CONSOLE, "smpp": SMPP, "smtp": SMTP, "webhook": WEBHOOK}


def bare_example(adapter: str, settings: type[BaseModel]) -> str:
    """Return a block for an adapter that we did not write: its settings by name, those with a default commented out."""
    lines = [
        f"[channels.{adapter}]",
        f'adapter = "{adapter}"',
        'lanes = ["live"]',
        "",
        f"[channels.{adapter}.settings]",
    ]
    for name, field in settings.model_fields.items():
        kind = getattr(field.annotation, "__name__", str(field.annotation))
        lines.append(f"{name} =    # {kind}, needed" if field.is_required() else f"# {name} =    # {kind}")
    return "\n".join([*lines, ""])
