"""JWTs of sites that vouch for their own people (RFC 7519).

Decided here: a key belongs to one issuer and has one algorithm, both settled by the operator;
what a token's header says about its algorithm chooses nothing. Whoever signs for one site can
therefore speak for no other, and a public key is never taken for a shared secret. The person is
issuer and subject together, and is shown to nobody but as a digest of the two.
"""

from __future__ import annotations

import math
from base64 import urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, Protocol

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from kodama.core.errors import Overloaded, Refused, Unauthorized
from kodama.core.names import GUEST_NAME, display_name, room_name
from kodama.core.session import SESSION_DAYS, Session

ALGORITHMS: Final = ("HS256", "RS256", "ES256", "EdDSA")
SECRET_MINIMUM: Final = 32  # bytes; RFC 7518 section 3.2
RSA_MINIMUM: Final = 2048  # bits; RFC 7518 section 3.3
TOKEN_LIMIT: Final = 8192
LEEWAY_MS: Final = 60_000  # for nbf and iat, when the site's clock is ahead; none for exp
ROOMS_LIMIT: Final = 100
_UNCHECKED: Final = {
    "verify_signature": True, "verify_exp": False, "verify_nbf": False, "verify_iat": False,
    "verify_sub": False, "verify_jti": False,
}  # fmt: skip


class BadKey(Exception):
    """A key cannot be used; the message says why, and never what it is."""


@dataclass(frozen=True, slots=True)
class SiteKey:
    """A key that verifies the tokens of ``issuer`` by one algorithm; ``kid`` is its name, if any."""

    issuer: str
    algorithm: str
    key: Any
    kid: str | None = None


class KeySource(Protocol):
    """Where the keys of one issuer come from, when they may change."""

    issuer: str

    @property
    def keys(self) -> Sequence[SiteKey] | None:
        """Return the keys that are known now, None before the first."""
        ...

    def missed(self) -> None:
        """Hear that a token came whose key is not among them."""
        ...


class Claims(msgspec.Struct, frozen=True):
    """What is read of a token; times in seconds since 1970."""

    iss: str
    sub: str
    exp: float
    nbf: float | None = None
    iat: float | None = None
    name: str | None = None
    rooms: list[str] | None = None


class Sites:
    """All sites whose word is taken. ``audience``, if any, must be named in each token."""

    def __init__(
        self, keys: Sequence[SiteKey] = (), *, sources: Sequence[KeySource] = (), audience: str = ""
    ) -> None:
        self._keys = tuple(keys)
        self._sources = tuple(sources)
        self._audience = audience or None

    def session(self, token: str, *, now: int) -> Session:
        """Return the session of whom ``token`` speaks, ending with it; raises `Unauthorized`,
        `Overloaded` while keys are still to come. ``now`` is in ms since 1970."""
        issuer, kid = _announced(token)
        claims = self._verified(token, issuer=issuer, kid=kid)
        if claims.iss != issuer:
            raise Unauthorized("This token is not valid.")
        end = min(claims.exp * 1000, now + SESSION_DAYS * 86_400_000)
        if end <= now:
            raise Unauthorized("This token has expired.")
        if max(claims.nbf or 0, claims.iat or 0) * 1000 > now + LEEWAY_MS:
            raise Unauthorized("This token is not valid yet.")
        try:
            name = GUEST_NAME if claims.name is None else display_name(claims.name)
            rooms = None if claims.rooms is None else tuple(room_name(room) for room in claims.rooms)
        except Refused as error:
            raise Unauthorized(f"This token is not valid: {error.detail}") from None
        if rooms is not None and len(rooms) > ROOMS_LIMIT:
            raise Unauthorized(f"This token names more than {ROOMS_LIMIT} rooms.")
        mark = urlsafe_b64encode(sha256(token.encode()).digest()[:12]).decode()
        return Session(f"j_{mark}", person(claims.iss, claims.sub), name, int(end), "host", rooms)

    def _verified(self, token: str, *, issuer: str, kid: str | None) -> Claims:
        for key in self._candidates(issuer, kid):
            try:
                found = jwt.decode(
                    token, key.key, algorithms=[key.algorithm], audience=self._audience,
                    options={**_UNCHECKED, "verify_aud": True},  # type: ignore[arg-type]  # a TypedDict of theirs
                )  # fmt: skip
                return _finite(msgspec.convert(found, Claims))
            except (jwt.PyJWTError, msgspec.ValidationError, ValueError):
                continue
        self._missed(issuer)
        raise Unauthorized("This token is not valid.")

    def _candidates(self, issuer: str, kid: str | None) -> list[SiteKey]:
        found = [key for key in self._keys if key.issuer == issuer]
        for source in self._sources:
            if source.issuer == issuer:
                if source.keys is None and not found:
                    source.missed()
                    raise Overloaded("The site's keys are not known yet; try again.", retry_after=2)
                found += source.keys or ()
        return [key for key in found if kid is None or key.kid is None or key.kid == kid]

    def _missed(self, issuer: str) -> None:
        for source in self._sources:
            if source.issuer == issuer:
                source.missed()


def person(issuer: str, subject: str) -> str:
    """Return the id of somebody for whom ``issuer`` vouches: 128 bits of a digest of both."""
    both = msgspec.json.encode([issuer, subject])
    return "h_" + urlsafe_b64encode(sha256(both).digest()[:16]).rstrip(b"=").decode()


def key_of(issuer: str, algorithm: str, source: str) -> SiteKey:
    """Return the key that the settings name: a secret (or ``file:`` and a path), or the path of a
    public key in PEM. Raises `BadKey`."""
    if algorithm not in ALGORITHMS:
        raise BadKey(f"{algorithm} is none of {', '.join(ALGORITHMS)} or JWKS")
    if algorithm == "HS256":
        secret = _file(source[5:]).strip() if source.startswith("file:") else source.encode()
        if len(secret) < SECRET_MINIMUM or secret.startswith(b"-----BEGIN"):
            raise BadKey(f"a secret has {SECRET_MINIMUM} bytes or more and is not a public key")
        return SiteKey(issuer, algorithm, secret)
    try:
        public = load_pem_public_key(_file(source.removeprefix("file:")))
    except ValueError:
        raise BadKey(f"{source} is not a public key in PEM") from None
    if algorithm_of(public) != algorithm:
        raise BadKey(f"{source} is not a key for {algorithm}")
    return SiteKey(issuer, algorithm, public)


def keys_of(issuer: str, document: bytes) -> tuple[SiteKey, ...]:
    """Return the usable public keys of a JWK set (RFC 7517). Raises `BadKey` if it is none."""
    try:
        listed = msgspec.json.decode(document, type=dict[str, Any])["keys"]
        given = [one for one in listed if one.get("kty") != "oct" and one.get("use", "sig") == "sig"]
    except (msgspec.DecodeError, KeyError, TypeError, AttributeError):
        raise BadKey("the document is not a JWK set") from None
    found = []
    for one in given[:100]:
        try:
            public = jwt.PyJWK(one).key
        except (jwt.PyJWTError, ValueError, TypeError, KeyError):
            continue  # of a kind that is not taken here
        algorithm = algorithm_of(public)
        if algorithm is not None and one.get("alg", algorithm) == algorithm:
            found.append(SiteKey(issuer, algorithm, public, one.get("kid")))
    return tuple(found)


def algorithm_of(public: object) -> str | None:
    """Return the one algorithm that ``public`` is used with, None if it is used with none."""
    match public:
        case RSAPublicKey():
            return "RS256" if public.key_size >= RSA_MINIMUM else None
        case EllipticCurvePublicKey():
            return "ES256" if isinstance(public.curve, SECP256R1) else None
        case Ed25519PublicKey():
            return "EdDSA"
    return None


def _announced(token: str) -> tuple[str, str | None]:
    """Return who the token says it is from, and by which key: to find the key, not to believe."""
    if len(token) > TOKEN_LIMIT:
        raise Unauthorized("This token is too long.")
    try:
        header = jwt.get_unverified_header(token)
        issuer = jwt.decode(token, options={"verify_signature": False})["iss"]
    except (jwt.PyJWTError, ValueError, KeyError):
        raise Unauthorized("This token is not valid.") from None
    if not isinstance(issuer, str) or "crit" in header:  # RFC 7515 section 4.1.11: none is understood
        raise Unauthorized("This token is not valid.")
    return issuer, header.get("kid")


def _finite(claims: Claims) -> Claims:
    """Return ``claims`` if their times are numbers as JSON has them; else raise ValueError."""
    if not all(math.isfinite(time) for time in (claims.exp, claims.nbf or 0, claims.iat or 0)):
        raise ValueError("not a time")
    return claims


def _file(path: str) -> bytes:
    try:
        return Path(path).read_bytes()
    except OSError as error:
        raise BadKey(f"{path} cannot be read: {error.strerror}") from None
