"""What push services and browsers check: RFC 8291 by its own example, RFC 8292 by the key it names."""

from __future__ import annotations

import http_ece
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given, settings
from hypothesis import strategies as st

from kodama.push.envelope import CURVE, ORDER, Vapid, check_key, decoded, encoded, point, sealed

AUTH = "BTBZMqHH6r4Tts7J_aSIgg"  # all of RFC 8291 section 5 and appendix A
PUBLIC = "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"
PRIVATE = "q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"
SENDER = "yfWPiYE-n46HLnH0KqZOF1fJJU3MYrct3AELtAQ-oRw"
SALT = "DGv6ra1nlYgDCS1FRnbzlw"
TEXT = b"When I grow up, I want to be a watermelon"
SEALED = (
    "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27ml"
    "mlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
    "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
)
ENDPOINT = "https://push.example:8443/v1/abc"


def private(text: str) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(decoded(text)), CURVE)


def test_the_example_of_the_standard_is_sealed_to_the_byte() -> None:
    body = sealed(TEXT, p256dh=PUBLIC, auth=AUTH, salt=decoded(SALT), key=private(SENDER))
    assert encoded(body) == SEALED


def test_only_the_browser_reads_it_and_never_twice_the_same() -> None:
    first, second = (sealed(TEXT, p256dh=PUBLIC, auth=AUTH) for _ in range(2))
    assert first != second
    for body in (first, second):
        assert http_ece.decrypt(body, private_key=private(PRIVATE), auth_secret=decoded(AUTH)) == TEXT
    with pytest.raises(http_ece.ECEException):
        http_ece.decrypt(first, private_key=private(SENDER), auth_secret=decoded(AUTH))


@settings(max_examples=20)
@given(st.binary(max_size=3000))
def test_any_payload_comes_out_as_it_went_in(payload: bytes) -> None:
    body = sealed(payload, p256dh=PUBLIC, auth=AUTH)
    assert len(body) <= 4096  # what every push service takes
    assert http_ece.decrypt(body, private_key=private(PRIVATE), auth_secret=decoded(AUTH)) == payload


def test_a_point_that_is_not_on_the_curve_is_no_key() -> None:
    check_key(PUBLIC)
    wrong = bytearray(decoded(PUBLIC))
    wrong[-1] ^= 1
    with pytest.raises(ValueError, match=r"(?i)invalid|curve|point"):
        check_key(encoded(bytes(wrong)))


def claims_of(field: str, audience: str = "https://push.example:8443") -> dict[str, object]:
    scheme, _, rest = field.partition(" ")
    parts = dict(part.strip().split("=", 1) for part in rest.split(","))
    key = ec.EllipticCurvePublicKey.from_encoded_point(CURVE, decoded(parts["k"]))
    assert scheme == "vapid"
    options = {"verify_exp": False}
    return dict(jwt.decode(parts["t"], key, algorithms=["ES256"], audience=audience, options=options))


def test_a_request_is_signed_for_its_service_for_less_than_a_day_with_a_key_that_stays() -> None:
    vapid = Vapid(b"\x07" * 32)
    field = vapid.authorization(ENDPOINT, site="https://chat.example", now=1_000_000)
    assert claims_of(field) == {
        "aud": "https://push.example:8443", "exp": 1_000_000 + 12 * 3600, "sub": "https://chat.example"
    }  # fmt: skip
    assert "k=" + Vapid(b"\x07" * 32).public in field
    assert Vapid(b"\x08" * 32).public != vapid.public


def test_who_is_not_reached_by_https_does_not_say_whom_to_ask() -> None:
    field = Vapid(b"\x07" * 32).authorization(ENDPOINT, site="http://localhost:8080", now=1)
    assert "sub" not in claims_of(field)


def test_a_signature_is_made_again_after_an_hour_and_for_another_service() -> None:
    vapid = Vapid(b"\x07" * 32)
    first = vapid.authorization(ENDPOINT, site="", now=1_000_000)
    assert vapid.authorization(ENDPOINT, site="", now=1_003_599) == first
    assert vapid.authorization(ENDPOINT, site="", now=1_003_600) != first
    other = vapid.authorization("https://other.example/x", site="", now=1_000_000)
    assert claims_of(other, "https://other.example")["exp"] == 1_000_000 + 12 * 3600
    for number in range(200):
        vapid.authorization(f"https://p{number}.example/x", site="", now=1_000_000)
    assert len(vapid._signed) <= 100


@pytest.mark.parametrize("secret", [bytes(32), b"\xff" * 32, (ORDER - 1).to_bytes(32), ORDER.to_bytes(32)])
def test_every_secret_makes_a_key(secret: bytes) -> None:
    public = decoded(Vapid(secret).public)
    assert (len(public), public[0]) == (65, 4)
    assert point(ec.EllipticCurvePublicKey.from_encoded_point(CURVE, public)) == public
