"""What browsers make of passkeys, as WebAuthn's JSON (Level 3, 5.1): as much of it as is looked at."""

from __future__ import annotations

from base64 import urlsafe_b64decode
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, field

Text = Annotated[str, Meta(max_length=65_536, description="In base64url.")]


class Attestation(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of an authenticator that has made a passkey."""

    client_data: Text = field(name="clientDataJSON")
    attestation: Text = field(name="attestationObject")


class Assertion(msgspec.Struct, frozen=True, kw_only=True):
    """The answer of an authenticator that has shown a passkey; `userHandle` says whose it is."""

    client_data: Text = field(name="clientDataJSON")
    authenticator: Text = field(name="authenticatorData")
    signature: Text
    user: Text = field(name="userHandle")


class NewPasskey(msgspec.Struct, frozen=True, kw_only=True):
    """A passkey that was made: `PublicKeyCredential.toJSON()`."""

    id: Text
    raw: Text = field(name="rawId")
    type: Literal["public-key"]
    response: Attestation


class ShownPasskey(msgspec.Struct, frozen=True, kw_only=True):
    """A passkey that is shown: `PublicKeyCredential.toJSON()`."""

    id: Text
    raw: Text = field(name="rawId")
    type: Literal["public-key"]
    response: Assertion

    @property
    def user(self) -> str:
        """Return the id of the user that the passkey names, empty if it is none."""
        try:
            user = urlsafe_b64decode(self.response.user + "==").decode("ascii")
        except ValueError:
            return ""
        return user if user.isprintable() else ""
