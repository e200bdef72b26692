"""What an operator writes under ``[channels.<name>.settings]`` of an ``smpp`` channel."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, SecretStr, model_validator

Ascii = Annotated[str, Field(pattern=r"^[\x20-\x7e]*$")]
Octet = Annotated[int, Field(ge=0, le=255)]
Seconds = Annotated[float, Field(gt=0, le=3600)]


def is_number(address: str) -> bool:
    """Return whether ``address`` is digits, with or without ``+``; anything else is an alphanumeric sender."""
    digits = address.removeprefix("+")
    return digits.isascii() and digits.isdigit()


class Settings(BaseModel, frozen=True, extra="forbid"):
    """One provider's SMPP account.

    Times are in seconds.  ``window`` is per bind.  ``source_addr`` empty leaves the sender to the provider; TON and
    NPI of the source follow from it unless given.  ``two_way`` says whether people can answer that address; an
    alphanumeric one cannot be answered.  ``receipt_ids`` says how receipts write the id of the submit response: the
    same, or its decimal or hexadecimal form.  ``reconnect`` holds the pauses before each new try, the last repeated.
    """

    host: str = Field(min_length=1)
    port: int = Field(2775, ge=1, le=65535)
    tls: bool = False
    tls_ca_file: Path | None = None
    system_id: Ascii = Field(min_length=1, max_length=64)
    password: SecretStr = SecretStr("")
    password_file: Path | None = None
    system_type: Ascii = Field("", max_length=12)
    service_type: Ascii = Field("", max_length=5)
    source_addr: Ascii = Field("", max_length=20)
    source_ton: Octet | None = None
    source_npi: Octet | None = None
    dest_ton: Octet = 1
    dest_npi: Octet = 1
    two_way: bool = True
    window: int = Field(50, ge=1, le=1000)
    binds: int = Field(1, ge=1, le=16)
    connect_timeout: Seconds = 10.0
    response_timeout: Seconds = 10.0
    enquire_link: Seconds = 30.0
    reconnect: tuple[Seconds, ...] = Field((0.5, 1.0, 2.0, 5.0, 10.0, 30.0), min_length=1)
    throttle_pause: Seconds = 1.0
    registered_delivery: bool = True
    validity: bool = True
    message_payload: bool = False
    gsm_data_coding: Octet = 0
    ucs2_data_coding: Octet = 8
    receipt_ids: Literal["same", "decimal", "hex"] = "same"

    @model_validator(mode="before")
    @classmethod
    def _one_way_names(cls, values: object) -> object:
        """Make ``two_way`` false for an alphanumeric sender unless the operator says otherwise."""
        if not isinstance(values, Mapping) or "two_way" in values:
            return values
        source = values.get("source_addr") or ""
        return {**values, "two_way": False} if isinstance(source, str) and source and not is_number(source) else values

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.source_addr and not is_number(self.source_addr):
            if self.two_way:
                raise ValueError("an alphanumeric source_addr cannot be answered: write two_way = false")
            if len(self.source_addr) > 11:
                raise ValueError("an alphanumeric source_addr has at most 11 characters")
        if self.password.get_secret_value() and self.password_file:
            raise ValueError("write password or password_file, not both")
        if len(self.password.get_secret_value()) > 64:
            raise ValueError("password has at most 64 characters")
        return self
