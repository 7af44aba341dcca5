"""Pictures without what they tell of their makers: place, camera, name, thumbnails.

Decided here: a picture is cleaned without being painted anew, so it loses nothing that is seen.
The metadata are cut out of the file; of a photograph's only which way is up is written again.
What cannot be taken apart is no picture, and is saved and not shown.
"""

from __future__ import annotations

from collections.abc import Iterator
from io import BytesIO
from itertools import islice
from typing import Final, NamedTuple
from zlib import crc32

from PIL import Image, UnidentifiedImageError

PIXELS_LIMIT: Final = 50_000_000  # more would cost a browser 200 MB to show
PARTS_LIMIT: Final = 50_000  # an animation has some for each of its pictures
_ORIENTATION: Final = 0x0112
_TURNED: Final = (5, 6, 7, 8)  # values of the orientation at which width and height change places
_SCANNED: Final = frozenset((0x00, *range(0xD0, 0xD8)))  # after FF inside of a scan
_BARE: Final = frozenset((0x01, *range(0xD0, 0xDA)))
_PNG: Final = b"\x89PNG\r\n\x1a\n"
_PNG_KEPT: Final = frozenset((
    b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT", b"pHYs",
    b"bKGD", b"acTL", b"fcTL", b"fdAT",
))  # fmt: skip
_WEBP_KEPT: Final = frozenset((b"VP8 ", b"VP8L", b"ALPH", b"ANIM", b"ANMF", b"ICCP"))
_FAULTS: Final = (
    IndexError, ValueError, SyntaxError, OSError, UnidentifiedImageError, Image.DecompressionBombError,
)  # fmt: skip
_GIF_KEPT: Final = (b"NETSCAPE2.0", b"ANIMEXTS1.0")


class Picture(NamedTuple):
    """A picture, cleaned: its media type, its size as shown, its bytes."""

    media: str
    width: int
    height: int
    body: bytes


class _Odd(Exception):
    """The file is not built as its kind is."""


def picture(data: bytes) -> Picture | None:
    """Return ``data`` as a picture, None if it is none that can be shown. To be called on a thread."""
    try:
        media, clean = _cleaned(data)
        with Image.open(BytesIO(data)) as found:  # reads the head only
            width, height = found.size
            turn = found.getexif().get(_ORIENTATION, 1) if media == "image/jpeg" else 1
    except (_Odd, *_FAULTS):
        return None
    if width * height > PIXELS_LIMIT:
        return None
    if isinstance(turn, int) and 2 <= turn <= 8:
        clean = clean[:2] + _upright(turn) + clean[2:]
        if turn in _TURNED:
            width, height = height, width
    return Picture(media, width, height, clean)


def _cleaned(data: bytes) -> tuple[str, bytes]:
    if data.startswith(b"\xff\xd8\xff"):
        return "image/jpeg", _joined(_jpeg(data))
    if data.startswith(_PNG):
        return "image/png", _joined(_png(data))
    if data.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif", _joined(_gif(data))
    if data[:4] == b"RIFF" and data[8:12] == b"WEBP":
        body = _joined(_webp(data))
        return "image/webp", b"RIFF" + (len(body) + 4).to_bytes(4, "little") + b"WEBP" + body
    raise _Odd


def _joined(parts: Iterator[bytes]) -> bytes:
    """Return the parts as one, unless they are so small and many that each would cost more than its
    bytes."""
    few = list(islice(parts, PARTS_LIMIT + 1))
    if len(few) > PARTS_LIMIT:
        raise _Odd
    return b"".join(few)


def _jpeg(data: bytes) -> Iterator[bytes]:
    """Yield the parts of a JPEG (ITU-T T.81 annex B) without comments and applications' segments,
    but for JFIF, colour profiles and Adobe's; nothing after its end."""
    yield data[:2]
    at = 2
    while True:
        while data[at : at + 2] == b"\xff\xff":  # fill
            at += 1
        if data[at] != 0xFF:
            raise _Odd
        marker = data[at + 1]
        end = _end_of_segment(data, at, marker)
        if _belongs(marker, data[at + 4 : at + 16]):
            yield data[at:end]
        if marker == 0xD9:
            return
        at = end


def _end_of_segment(data: bytes, at: int, marker: int) -> int:
    """Return where the segment at ``at`` ends, with the scan that follows its head if it has one."""
    if marker in _BARE:
        return at + 2
    size = _big(data, at + 2, 2)
    end = at + 2 + size
    if size < 2 or end > len(data):
        raise _Odd
    return _end_of_scan(data, end) if marker == 0xDA else end


def _belongs(marker: int, begin: bytes) -> bool:
    """Return whether a segment is of the picture itself."""
    if marker == 0xFE:
        return False
    if not 0xE0 <= marker <= 0xEF:
        return True
    return (marker, begin[:5]) in ((0xE0, b"JFIF\0"), (0xEE, b"Adobe")) or begin == b"ICC_PROFILE\0"


def _end_of_scan(data: bytes, at: int) -> int:
    while True:
        at = data.find(b"\xff", at)
        if at < 0:
            raise _Odd
        if data[at + 1] not in _SCANNED:
            return at
        at += 2


def _upright(turn: int) -> bytes:
    """Return a segment of Exif that says nothing but the orientation."""
    entry = b"\x01\x12\x00\x03\x00\x00\x00\x01\x00" + bytes((turn,)) + b"\x00\x00"
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01" + entry + b"\0\0\0\0"
    return b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif


def _png(data: bytes) -> Iterator[bytes]:
    """Yield the chunks of a PNG (W3C PNG section 5) that are its picture."""
    yield _PNG
    at = len(_PNG)
    while True:
        size = _big(data, at, 4)
        kind, end = data[at + 4 : at + 8], at + 12 + size
        if end > len(data):
            raise _Odd
        if kind in _PNG_KEPT:
            if crc32(data[at + 4 : end - 4]) != _big(data, end - 4, 4):
                raise _Odd
            yield data[at:end]
        if kind == b"IEND":
            return
        at = end


def _gif(data: bytes) -> Iterator[bytes]:
    """Yield the blocks of a GIF (GIF89a section 15 on) without comments and foreign applications'."""
    at = 13 + (3 << (data[10] & 7) + 1 if data[10] & 0x80 else 0)
    yield data[:at]
    while True:
        start, kind = at, data[at]
        if kind == 0x3B:
            yield data[at : at + 1]
            return
        if kind == 0x21:
            at = _end_of_blocks(data, at + 2)
            label = data[start + 1]
            if label == 0xF9 or (label == 0xFF and data[start + 3 : start + 14] in _GIF_KEPT):
                yield data[start:at]
        elif kind == 0x2C:
            colours = data[at + 9]
            at += 10 + (3 << (colours & 7) + 1 if colours & 0x80 else 0)
            at = _end_of_blocks(data, at + 1)
            yield data[start:at]
        else:
            raise _Odd


def _end_of_blocks(data: bytes, at: int) -> int:
    while data[at]:
        at += data[at] + 1
    return at + 1


def _webp(data: bytes) -> Iterator[bytes]:
    """Yield the chunks of a WebP (RFC 9649 section 2) that are its picture."""
    at, end = 12, 8 + int.from_bytes(data[4:8], "little")
    if end > len(data):
        raise _Odd
    while at + 8 <= end:
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        after = at + 8 + size + (size & 1)
        if after > end:
            raise _Odd
        if kind == b"VP8X":
            yield data[at : at + 8] + bytes((data[at + 8] & ~0x0C,)) + data[at + 9 : after]  # no Exif, no XMP
        elif kind in _WEBP_KEPT:
            yield data[at:after]
        at = after


def _big(data: bytes, at: int, size: int) -> int:
    if at + size > len(data):
        raise _Odd
    return int.from_bytes(data[at : at + size], "big")
