"""What a provider's command_status means for a delivery: the one table of all SMPP 3.4 codes, and its use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

from relay.adapter import Outcome, Scope, Verdict

ROK: Final = 0x00
RINVCMDLEN: Final = 0x02
RINVCMDID: Final = 0x03
RINVBNDSTS: Final = 0x04
RX_T_APPN: Final = 0x64  # "ESME receiver temporary error": the provider keeps the message and comes again
RX_P_APPN: Final = 0x65


@dataclass(frozen=True, slots=True)
class Meaning:
    """What one code says: its name in the specification, and how the core is to take it."""

    name: str
    verdict: Verdict
    scope: Scope
    reason: str


_RETRY, _REJECTED, _THROTTLED = Verdict.RETRY, Verdict.REJECTED, Verdict.THROTTLED
_PROVIDER, _CONFIG, _MESSAGE, _RECIPIENT = Scope.PROVIDER, Scope.CONFIG, Scope.MESSAGE, Scope.RECIPIENT

# SMPP 3.4 §5.1.3.  A fault of ours or of the contract with the provider is CONFIG and worth another provider (retry);
# what will never work for this number is RECIPIENT; what will never work for this text is MESSAGE.
MEANINGS: Final[Mapping[int, Meaning]] = {
    0x01: Meaning("RINVMSGLEN", _REJECTED, _MESSAGE, "invalid_message_length"),
    0x02: Meaning("RINVCMDLEN", _RETRY, _CONFIG, "invalid_command_length"),
    0x03: Meaning("RINVCMDID", _RETRY, _CONFIG, "invalid_command"),
    0x04: Meaning("RINVBNDSTS", _RETRY, _PROVIDER, "wrong_bind_state"),
    0x05: Meaning("RALYBND", _RETRY, _CONFIG, "already_bound"),
    0x06: Meaning("RINVPRTFLG", _RETRY, _CONFIG, "invalid_priority_flag"),
    0x07: Meaning("RINVREGDLVFLG", _RETRY, _CONFIG, "invalid_registered_delivery"),
    0x08: Meaning("RSYSERR", _RETRY, _PROVIDER, "provider_system_error"),
    0x0A: Meaning("RINVSRCADR", _RETRY, _CONFIG, "invalid_source_address"),
    0x0B: Meaning("RINVDSTADR", _REJECTED, _RECIPIENT, "invalid_number"),
    0x0C: Meaning("RINVMSGID", _RETRY, _PROVIDER, "invalid_message_id"),
    0x0D: Meaning("RBINDFAIL", _RETRY, _PROVIDER, "bind_failed"),
    0x0E: Meaning("RINVPASWD", _RETRY, _CONFIG, "invalid_password"),
    0x0F: Meaning("RINVSYSID", _RETRY, _CONFIG, "invalid_system_id"),
    0x11: Meaning("RCANCELFAIL", _RETRY, _PROVIDER, "cancel_failed"),
    0x13: Meaning("RREPLACEFAIL", _RETRY, _PROVIDER, "replace_failed"),
    0x14: Meaning("RMSGQFUL", _THROTTLED, _PROVIDER, "provider_queue_full"),
    0x15: Meaning("RINVSERTYP", _RETRY, _CONFIG, "invalid_service_type"),
    0x33: Meaning("RINVNUMDESTS", _RETRY, _CONFIG, "invalid_number_of_destinations"),
    0x34: Meaning("RINVDLNAME", _RETRY, _CONFIG, "invalid_distribution_list"),
    0x40: Meaning("RINVDESTFLAG", _RETRY, _CONFIG, "invalid_destination_flag"),
    0x42: Meaning("RINVSUBREP", _RETRY, _CONFIG, "invalid_replace_request"),
    0x43: Meaning("RINVESMCLASS", _RETRY, _CONFIG, "invalid_esm_class"),
    0x44: Meaning("RCNTSUBDL", _RETRY, _CONFIG, "cannot_submit_to_list"),
    0x45: Meaning("RSUBMITFAIL", _RETRY, _PROVIDER, "submit_failed"),
    0x48: Meaning("RINVSRCTON", _RETRY, _CONFIG, "invalid_source_ton"),
    0x49: Meaning("RINVSRCNPI", _RETRY, _CONFIG, "invalid_source_npi"),
    0x50: Meaning("RINVDSTTON", _RETRY, _CONFIG, "invalid_destination_ton"),
    0x51: Meaning("RINVDSTNPI", _RETRY, _CONFIG, "invalid_destination_npi"),
    0x53: Meaning("RINVSYSTYP", _RETRY, _CONFIG, "invalid_system_type"),
    0x54: Meaning("RINVREPFLAG", _RETRY, _CONFIG, "invalid_replace_flag"),
    0x55: Meaning("RINVNUMMSGS", _RETRY, _CONFIG, "invalid_number_of_messages"),
    0x58: Meaning("RTHROTTLED", _THROTTLED, _PROVIDER, "provider_throttled"),
    0x61: Meaning("RINVSCHED", _RETRY, _CONFIG, "invalid_schedule"),
    0x62: Meaning("RINVEXPIRY", _RETRY, _CONFIG, "invalid_validity"),
    0x63: Meaning("RINVDFTMSGID", _RETRY, _CONFIG, "invalid_default_message"),
    0x64: Meaning("RX_T_APPN", _RETRY, _PROVIDER, "receiver_temporary_error"),
    0x65: Meaning("RX_P_APPN", _REJECTED, _RECIPIENT, "receiver_permanent_error"),
    0x66: Meaning("RX_R_APPN", _REJECTED, _RECIPIENT, "receiver_rejected"),
    0x67: Meaning("RQUERYFAIL", _RETRY, _PROVIDER, "query_failed"),
    0xC0: Meaning("RINVOPTPARSTREAM", _RETRY, _CONFIG, "invalid_optional_parameters"),
    0xC1: Meaning("ROPTPARNOTALLWD", _RETRY, _CONFIG, "optional_parameter_not_allowed"),
    0xC2: Meaning("RINVPARLEN", _RETRY, _CONFIG, "invalid_parameter_length"),
    0xC3: Meaning("RMISSINGOPTPARAM", _RETRY, _CONFIG, "missing_optional_parameter"),
    0xC4: Meaning("RINVOPTPARAMVAL", _RETRY, _CONFIG, "invalid_optional_parameter"),
    0xFE: Meaning("RDELIVERYFAILURE", _REJECTED, _RECIPIENT, "delivery_failure"),
    0xFF: Meaning("RUNKNOWNERR", _RETRY, _PROVIDER, "provider_unknown_error"),
}


def meaning(status: int) -> Meaning:
    """Return what ``status`` (not 0) means; a provider's own code is its fault, worth another try or provider."""
    return MEANINGS.get(status) or Meaning(f"0x{status:08X}", _RETRY, _PROVIDER, "provider_error")


class Answer(NamedTuple):
    """What became of one submitted PDU.

    ``lost`` is empty when the provider answered, ``not_sent`` when the PDU certainly did not leave, else
    ``timeout`` or ``response_lost``: the bytes may have left.
    """

    status: int = ROK
    message_id: str = ""
    lost: str = ""

    @property
    def accepted(self) -> bool:
        """Whether the provider took it."""
        return not self.lost and self.status == ROK

    @property
    def throttled(self) -> bool:
        """Whether the provider asked to slow down."""
        return not self.lost and self.status != ROK and meaning(self.status).verdict is Verdict.THROTTLED


NOT_SENT: Final = Answer(lost="not_sent")


def outcome_of(answers: Sequence[Answer], *, retry_after: float) -> Outcome:
    """Return what the answers to all parts of one message mean together (at least one part).

    A message of which some parts were taken and others not is ``unknown``: the recipient may read a half, and a
    blind repetition would give him the other half twice.
    """
    if len(answers) == 1 and answers[0].accepted and answers[0].message_id:  # nearly all of them
        return Outcome(verdict=Verdict.ACCEPTED, provider_ids=(answers[0].message_id,))
    ids = tuple([answer.message_id for answer in answers if answer.accepted and answer.message_id])
    accepted = sum([answer.accepted for answer in answers])
    if accepted == len(answers):
        return Outcome(verdict=Verdict.ACCEPTED, provider_ids=ids)
    # From here on no id is given: a receipt of the parts that were taken would call the whole message delivered.
    lost = [answer.lost for answer in answers if answer.lost and answer.lost != NOT_SENT.lost]
    detail = f"{accepted} of {len(answers)} parts accepted" if len(answers) > 1 else ""
    if lost:
        return Outcome(verdict=Verdict.UNKNOWN, reason=lost[0], scope=_PROVIDER, detail=detail)
    refused = [answer.status for answer in answers if not answer.lost and answer.status != ROK]
    if accepted:
        then = f"; then {meaning(refused[0]).name}" if refused else "; the connection was lost before the rest"
        return Outcome(
            verdict=Verdict.UNKNOWN,
            reason="partly_accepted",
            scope=meaning(refused[0]).scope if refused else _PROVIDER,
            detail=detail + then,
        )
    if not refused:
        return Outcome(verdict=_RETRY, reason="not_sent", scope=_PROVIDER)
    return _refusal(refused[0], retry_after=retry_after)


def _refusal(status: int, *, retry_after: float) -> Outcome:
    said = meaning(status)
    pause = retry_after if said.verdict is _THROTTLED else None
    return Outcome(
        verdict=said.verdict, reason=said.reason, scope=said.scope, retry_after=pause, detail=f"ESME_{said.name}"
    )
