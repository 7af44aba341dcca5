"""Sites vouch for their people, and nobody else can: tokens forged in every way we know of."""

from __future__ import annotations

import base64
import hmac
import json
import time
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from kodama.app.settings import BadSetting
from kodama.web.sites import person
from tests.integration.test_site import EVENTS, MESSAGES, Kodama

SHOP, BLOG = "https://shop.example", "https://blog.example"
SECRET = "s" * 32
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SIGNERS: dict[str, Any] = {
    "HS256": SECRET, "RS256": RSA, "ES256": ec.generate_private_key(ec.SECP256R1()),
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
}  # fmt: skip


def pem(key: Any) -> bytes:
    return bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def server(folder: Path, algorithm: str = "HS256", **settings: object) -> Kodama:
    source = SECRET
    if algorithm != "HS256":
        (folder / "key.pem").write_bytes(pem(SIGNERS[algorithm]))
        source = str(folder / "key.pem")
    return Kodama(jwt_keys=f"{SHOP} {algorithm} {source}", **settings)


def token(key: Any = SECRET, algorithm: str = "HS256", *, headers: dict[str, Any] | None = None, **claims: Any) -> str:
    given = {"iss": SHOP, "sub": "42", "exp": time.time() + 600, "name": "Aiko", **claims}
    kept = {name: value for name, value in given.items() if value is not None}
    return jwt.encode(kept, key, algorithm=algorithm, headers=headers)


def bearer(text: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {text}"}


@pytest.mark.parametrize("algorithm", sorted(SIGNERS))
def test_a_site_speaks_for_its_people(tmp_path: Path, algorithm: str) -> None:
    kodama = server(tmp_path, algorithm)
    fields = bearer(token(SIGNERS[algorithm], algorithm))
    assert kodama.ask("POST", MESSAGES, body={"text": "hi"}, **fields).got.status == 201
    author = kodama.get(f"{EVENTS}?since=all").json["events"][0]["author"]
    assert author == {"id": person(SHOP, "42"), "name": "Aiko", "kind": "host"}


def test_a_jwt_becomes_a_session_that_ends_with_it(tmp_path: Path) -> None:
    kodama = server(tmp_path)
    given = token()
    opened = kodama.ask("POST", "/v1/session", body={"jwt": given}).got
    assert (opened.status, opened.json["user"]["kind"]) == (201, "host")
    fields = bearer(opened.json["token"])
    assert kodama.get("/v1/session", **fields).json["expires"] == opened.json["expires"]
    assert kodama.ask("DELETE", "/v1/session", **fields).got.status == 204
    for ended in (fields, bearer(given)):
        assert kodama.get("/v1/session", **ended).json["code"] == "unauthorized"
    assert kodama.ask("POST", "/v1/session", body={"jwt": given}).got.status == 401


def test_issuer_and_subject_together_are_the_person() -> None:
    ids = {person(*pair) for pair in (("a", "bc"), ("ab", "c"), ("b", "bc"), ('a","b', "c"))}
    assert len(ids) == 4


def test_rooms_in_a_token_open_these_and_close_the_others(tmp_path: Path) -> None:
    kodama = server(tmp_path)
    kodama.ask("PUT", "/v1/rooms/tea", body={"access": "secret"}, **kodama.sign_in("Ben"))
    fields = bearer(token(rooms=["Tea"]))
    assert kodama.get("/v1/rooms/tea/events?wait=0", **fields).status == 200
    assert kodama.get(f"{EVENTS}?wait=0", **fields).status == 403


IN_A_CENTURY = 5_000_000_000.0


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": None}, {"iss": None}, {"sub": None}, {"exp": 1}, {"exp": "soon"}, {"sub": 42}, {"iss": BLOG},
        {"nbf": IN_A_CENTURY}, {"iat": IN_A_CENTURY}, {"aud": "someone"}, {"name": "a\u202eb"},
        {"name": "x" * 41}, {"rooms": "lobby"}, {"rooms": ["a b"]}, {"rooms": ["r"] * 101}, {"exp": float("inf")},
        {"exp": float("nan")},
    ],
    ids=str,
)  # fmt: skip
def test_a_token_with_a_claim_that_does_not_hold_is_refused(tmp_path: Path, claims: dict[str, Any]) -> None:
    kodama = server(tmp_path)
    forged = token(**claims)
    for got in (
        kodama.get(f"{EVENTS}?wait=0", **bearer(forged)),
        kodama.ask("POST", "/v1/session", body={"jwt": forged}).got,
    ):
        assert got.json["code"] == "unauthorized", got.body


def part(value: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def by_hand(header: dict[str, Any], key: bytes | None) -> str:
    body = f"{part(header)}.{part({'iss': SHOP, 'sub': '42', 'exp': time.time() + 600})}"
    mac = b"" if key is None else hmac.digest(key, body.encode(), "sha256")
    return f"{body}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def test_no_forgery_is_taken(tmp_path: Path) -> None:
    kodama = server(tmp_path, "RS256")
    public = pem(RSA)
    forged = [
        by_hand({"alg": "none"}, None), by_hand({"alg": "None", "typ": "JWT"}, None), by_hand({"alg": "NONE"}, None),
        by_hand({"alg": "HS256"}, public), by_hand({"alg": "HS256"}, public.strip()), by_hand({"alg": "HS256"}, b""),
        by_hand({"alg": "RS256"}, public), by_hand({"alg": "HS256", "kid": "../../../dev/null"}, b""),
        by_hand({"alg": "HS256", "kid": "' UNION SELECT 'x"}, b"x"), by_hand({}, None),
        token(OTHER, "RS256"), token(OTHER, "RS256", headers={"jwk": {"kty": "oct", "k": "eA"}}),
        token(OTHER, "RS256", headers={"jku": "https://evil.example/jwks"}), token(RSA, "RS512"), token(RSA, "PS256"),
        token(RSA, "RS256", headers={"crit": ["x"], "x": 1}), token(RSA, "RS256")[:-4] + "AAAA",
        token(RSA, "RS256") + ".x", "ey", "ey.ey.ey", "ey" * 5000,
    ]  # fmt: skip
    for one in forged:
        assert kodama.get(f"{EVENTS}?wait=0", **bearer(one)).json["code"] == "unauthorized", one
    assert kodama.get(f"{EVENTS}?wait=0", **bearer(token(RSA, "RS256"))).status == 200


def test_one_site_cannot_speak_for_another() -> None:
    kodama = Kodama(jwt_keys=f"{SHOP} HS256 {SECRET},{BLOG} HS256 {'b' * 32}")
    assert kodama.get("/v1/session", **bearer(token("b" * 32, iss=BLOG))).status == 200
    assert kodama.get("/v1/session", **bearer(token("b" * 32, iss=SHOP))).status == 401


def test_the_audience_of_the_settings_must_be_named(tmp_path: Path) -> None:
    kodama = server(tmp_path, jwt_audience="kodama")
    assert kodama.get("/v1/session", **bearer(token(aud=["x", "kodama"]))).status == 200
    for wrong in (token(), token(aud="x")):
        assert kodama.get("/v1/session", **bearer(wrong)).status == 401


def test_a_set_of_keys_is_read_again_when_a_token_with_a_new_one_comes(tmp_path: Path) -> None:
    path = tmp_path / "jwks.json"

    def listed(*keys: tuple[str, Any]) -> None:
        made = [{**json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key())), "kid": kid} for kid, key in keys]
        path.write_text(json.dumps({"keys": [*made, {"kty": "oct", "k": "c2VjcmV0", "kid": "s"}, {"kty": "?"}]}))

    listed(("one", RSA))
    kodama = Kodama(jwt_keys=f"{SHOP} JWKS {path}")
    old, new = (bearer(token(key, "RS256", headers={"kid": kid})) for kid, key in (("one", RSA), ("two", OTHER)))
    shared = bearer(token("secret" * 6, headers={"kid": "s"}))
    assert kodama.get("/v1/session", **old).status == 200
    assert [kodama.get("/v1/session", **fields).status for fields in (new, shared)] == [401, 401]
    listed(("two", OTHER))
    kodama.pass_seconds(31)
    assert kodama.get("/v1/session", **new).status == 401, "this one has the set read again"
    assert kodama.get("/v1/session", **new).status == 200
    assert kodama.get("/v1/session", **old).status == 401, "a key that is withdrawn proves nothing, even remembered"
    path.write_text("broken")
    kodama.pass_seconds(601)
    assert kodama.get("/v1/session", **new).status == 200


def test_while_keys_are_to_come_a_token_is_neither_taken_nor_refused(tmp_path: Path) -> None:
    kodama = Kodama(jwt_keys=f"{SHOP} JWKS {tmp_path / 'none.json'}")
    got = kodama.get("/v1/session", **bearer(token()))
    assert (got.status, got.json["code"]) == (503, "overloaded")


@pytest.mark.parametrize(
    "keys",
    [
        "x", f"{SHOP} HS256 short", f"{SHOP} none {SECRET}", f"{SHOP} RS256 /nonexistent",
        f"{SHOP} JWKS http://keys.example/", f"{SHOP} HS256 file:/nonexistent",
    ],
)  # fmt: skip
def test_a_key_that_cannot_be_used_is_refused_at_the_start_without_being_told(keys: str) -> None:
    with pytest.raises(BadSetting, match=r"(?i)jwt_keys") as refused:
        Kodama(jwt_keys=keys)
    assert SECRET not in str(refused.value)


def test_a_key_is_used_with_its_own_algorithm_only(tmp_path: Path) -> None:
    (tmp_path / "key.pem").write_bytes(pem(RSA))
    for algorithm in ("ES256", "EdDSA"):
        with pytest.raises(BadSetting):
            Kodama(jwt_keys=f"{SHOP} {algorithm} {tmp_path / 'key.pem'}")
    with pytest.raises(BadSetting):
        Kodama(jwt_keys=f"{SHOP} HS256 file:{tmp_path / 'key.pem'}")
