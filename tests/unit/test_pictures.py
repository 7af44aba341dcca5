"""Pictures lose what they tell of their makers, and nothing that is seen."""

from __future__ import annotations

from io import BytesIO
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, PngImagePlugin

from kodama.core.errors import BadRequest
from kodama.core.file import file_id, file_name
from kodama.files.pictures import picture

SECRET = b"35.6586N139.7454E"


def painted(kind: str, *, orientation: int = 0, **more: Any) -> bytes:
    image = Image.new("RGB", (40, 20))
    for x in range(40):
        for y in range(20):
            image.putpixel((x, y), (x * 6, y * 12, (x * y) % 256))
    exif = Image.Exif()
    exif[0x010E] = SECRET.decode()
    if orientation:
        exif[0x0112] = orientation
    out = BytesIO()
    image.save(out, kind, exif=exif, **more)
    return out.getvalue()


def pixels(data: bytes) -> Any:
    with Image.open(BytesIO(data)) as image:
        return image.convert("RGB").tobytes()


def with_text(data: bytes) -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Author", SECRET.decode())
    out = BytesIO()
    with Image.open(BytesIO(data)) as image:
        image.save(out, "PNG", pnginfo=info)
    return out.getvalue()


SAMPLES = {
    "jpeg": painted("JPEG", quality=90, comment=SECRET), "progressive": painted("JPEG", progressive=True),
    "png": with_text(painted("PNG")), "webp": painted("WEBP", lossless=True, xmp=SECRET),
    "gif": painted("GIF", comment=SECRET),
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(SAMPLES))
def test_what_is_secret_goes_and_what_is_seen_stays(kind: str) -> None:
    data = SAMPLES[kind]
    assert SECRET in data
    found = picture(data)
    assert found is not None
    assert SECRET not in found.body
    assert pixels(found.body) == pixels(data)
    assert (found.width, found.height) == (40, 20)
    again = picture(found.body)
    assert again == found


@pytest.mark.parametrize("turn", range(2, 9))
def test_a_photograph_stays_upright(turn: int) -> None:
    found = picture(painted("JPEG", orientation=turn))
    assert found is not None
    assert (found.width, found.height) == ((20, 40) if turn >= 5 else (40, 20))
    with Image.open(BytesIO(found.body)) as image:
        assert dict(image.getexif()) == {0x0112: turn}
    assert picture(found.body) == found


def test_what_stands_after_the_end_goes() -> None:
    for data in SAMPLES.values():
        found = picture(data + SECRET)
        assert found is not None
        assert SECRET not in found.body


def test_moving_pictures_still_move() -> None:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "green", "blue")]
    for kind in ("GIF", "WEBP", "PNG"):
        out = BytesIO()
        frames[0].save(out, kind, save_all=True, append_images=frames[1:], duration=100, loop=0)
        found = picture(out.getvalue())
        assert found is not None, kind
        with Image.open(BytesIO(found.body)) as image:
            assert getattr(image, "n_frames", 1) == 3, kind


@pytest.mark.parametrize(
    "data",
    [b"", b"hello", b"<svg onload='x'>", b"<html>", b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"RIFF\x00\x00\x00\x00WEBP", b"%PDF-1.7"],
)  # fmt: skip
def test_what_is_no_picture_is_none(data: bytes) -> None:
    assert picture(data) is None


def test_a_picture_that_is_too_large_to_show_is_none() -> None:
    import struct
    import zlib

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    bomb = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    assert picture(bomb) is None


@settings(max_examples=300)
@given(st.sampled_from(sorted(SAMPLES)), st.data())
def test_nothing_that_is_damaged_breaks_it(kind: str, data: st.DataObject) -> None:
    whole = SAMPLES[kind]
    broken = bytearray(whole)
    for _ in range(data.draw(st.integers(0, 4))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    cut = bytes(broken[: data.draw(st.integers(0, len(broken)))])
    found = picture(cut)
    assert found is None or len(found.body) <= len(cut) + 36


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("cat.png", "cat.png"), ("../../etc/passwd", "passwd"), ("C:\\photos\\cat.png", "cat.png"), ("a\r\nb.txt", "a_b.txt"),
        ("写真 1.jpg", "写真 1.jpg"), ("evil\u202egpj.exe", "evilgpj.exe"), (" .hidden. ", "hidden"), ('a"b<c>.txt', "a_b_c_.txt"),
        ("x" * 200 + ".jpeg", "x" * 115 + ".jpeg"), ("y" * 200, "y" * 120),
    ],
)  # fmt: skip
def test_a_name_is_no_path(given: str, name: str) -> None:
    assert file_name(given) == name


@pytest.mark.parametrize("given", ["", "/", "...", "\u200b"])
def test_a_file_has_a_name(given: str) -> None:
    with pytest.raises(BadRequest):
        file_name(given)


def test_an_id_is_one() -> None:
    assert file_id("A" * 22) == "A" * 22
    assert file_id("../" + "A" * 19) is None


def test_a_picture_of_crumbs_is_none() -> None:
    gif = SAMPLES["gif"]
    assert picture(gif[:-1] + b"\x21\xf9\x00" * 1_000 + gif[-1:]) is not None
    assert picture(gif[:-1] + b"\x21\xf9\x00" * 60_000 + gif[-1:]) is None
