"""Files in rooms: their names, their ids, and what is read and said of them on the wire."""

from __future__ import annotations

import unicodedata
from base64 import b64encode
from dataclasses import dataclass

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kodama.core.errors import BadRequest
from kodama.core.file import NAME_LIMIT, SAVED, FileFacts, file_id, file_name
from kodama.wire import files


@dataclass(frozen=True, slots=True)
class Named:
    given: str
    saved: str


NAMES = (
    Named("cat.png", "cat.png"),
    Named("/etc/passwd", "passwd"),
    Named("C:\\Users\\me\\cat.png", "cat.png"),
    Named("../../cat.png", "cat.png"),
    Named('a<b>:"c|?*.txt', "a_b_c_.txt"),
    Named("gnp.\u202etac.exe", "gnp.tac.exe"),
    Named(" .hidden. ", "hidden"),
    Named("cafe\u0301.txt", "caf\u00e9.txt"),
    Named("a\r\nSet-Cookie: x", "a_Set-Cookie_ x"),
    Named("x" * 300 + ".png", "x" * (NAME_LIMIT - 4) + ".png"),
    Named("a\x80b\x85c\u2028d.txt", "abcd.txt"),
    Named("x" * 119 + " " + "y" * 9, "x" * 119),
    Named("x" * 300, "x" * NAME_LIMIT),
    Named("x" * 110 + "." + "y" * 20, "x" * 110 + "." + "y" * 9),
)


@pytest.mark.parametrize("name", NAMES, ids=lambda name: name.saved[:20])
def test_a_name_is_for_people_and_no_path(name: Named) -> None:
    assert file_name(name.given) == name.saved


@pytest.mark.parametrize("name", ["", "/", "..", "a/", " . ", "\u202e", "\u200b"])
def test_a_file_without_a_name_is_refused(name: str) -> None:
    with pytest.raises(BadRequest):
        file_name(name)


@given(st.text(max_size=200))
def test_whatever_is_given_the_name_can_be_a_file_on_any_system(given_name: str) -> None:
    try:
        name = file_name(given_name)
    except BadRequest:
        return
    assert 1 <= len(name) <= NAME_LIMIT
    assert not set(name) & set('/\\<>:"|?*\0\n\r\x7f')
    assert name == name.strip(" .")
    assert all(unicodedata.category(char) not in ("Cf", "Cs", "Cc", "Zl", "Zp") for char in name)


def test_an_id_is_22_characters_of_base64url() -> None:
    for right in ("A" * 22, "abc-_0123456789ABCDEFG"):
        assert file_id(right) == right
    for wrong in ("", "A" * 21, "A" * 23, "A" * 21 + "/", "é" * 22, "A" * 22 + "\n"):
        assert file_id(wrong) is None


FACTS = FileFacts(room="lobby", by="g_1", name="cat.png", size=7, created=0)
ID = "A" * 22


def test_a_file_has_an_address_once_it_is_whole_and_a_size_if_it_is_a_picture() -> None:
    begun = msgspec.to_builtins(files.shown(ID, FACTS, url="/v1/files/x"))
    assert begun == {"file": ID, "room": "lobby", "name": "cat.png", "size": 7, "whole": False, "type": SAVED}
    assert not FACTS.shown
    whole = msgspec.structs.replace(FACTS, whole=True, media="image/png", width=4, height=3)
    assert whole.shown
    assert msgspec.to_builtins(files.shown(ID, whole, url="/v1/files/x")) == begun | {
        "whole": True, "type": "image/png", "url": "/v1/files/x", "width": 4, "height": 3,
    }  # fmt: skip


def test_a_number_of_bytes_is_read() -> None:
    assert (files.number(b"0", "Upload-Offset"), files.number(b" 123 ", "Upload-Length")) == (0, 123)
    for wrong in (None, b"", b"-1", b"+1", b"01", b"1e3", b"1.5", b"\xb2", b"1" * 16):
        with pytest.raises(BadRequest, match="Upload-Length"):
            files.number(wrong, "Upload-Length")


def test_the_name_is_found_in_what_is_announced() -> None:
    name = b64encode("猫.png".encode())
    for announced in (b"filename " + name, b"is_confidential,filetype aW1hZ2U=, filename " + name):
        assert files.announced_name(announced) == "猫.png"
    for wrong in (
        None,
        b"",
        b"filetype aW1hZ2U=",
        b"filename",
        b"filename !",
        b"filename /w==",
        b"filename Li4=",
    ):
        with pytest.raises(BadRequest):
            files.announced_name(wrong)


A, B = "a" * 22, "b" * 22


@pytest.mark.parametrize(
    ("data", "shown"),
    [
        ({"files": [{"file": A}, {"file": B, "more": 1}, {"file": A}]}, [A, B]), ({"files": []}, []), ({}, []),
        ([{"file": A}], []), ({"files": {"file": A}}, []), ({"files": ["a", {"file": 1}, {}, {"file": "x"}, {"file": B}]}, [B]),
        (None, []), ({"files": [{"file": f"{n:022}"} for n in range(1000)]}, [f"{n:022}" for n in range(files.SHOWN_LIMIT)]),
    ],
)  # fmt: skip
def test_the_files_that_a_message_shows_are_found_in_any_data(data: object, shown: list[str]) -> None:
    assert files.files_in(data) == shown
