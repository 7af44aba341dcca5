"""Files in the page: picked, pasted and dropped, through cuts, and shown to others without moving what they read."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.browser.chromium import Server
from tests.browser.person import Person
from tests.unit.test_pictures import SAMPLES

pytestmark = pytest.mark.browser

PASTE = """
const kept = new DataTransfer();
kept.items.add(new File([arguments[1]], arguments[0], { type: "text/html" }));
document.querySelector("#write").dispatchEvent(new ClipboardEvent("paste", { clipboardData: kept, bubbles: true, cancelable: true }));
"""
DROP = """
const kept = new DataTransfer();
kept.items.add(new File([new Uint8Array(150000)], arguments[0]));
for (const type of ["dragover", "drop"])
  document.body.dispatchEvent(new DragEvent(type, { dataTransfer: kept, bubbles: true, cancelable: true }));
"""


@pytest.fixture(scope="module")
def people(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Person, Person]]:
    server = Server(tmp_path_factory.mktemp("attach") / "data")
    aiko, ken = Person(server.url, "Aiko"), Person(server.url, "Ken")
    try:
        aiko.enter("lobby")
        aiko.say("hello")
        ken.enter("lobby")
        yield server, aiko, ken
    finally:
        aiko.close()
        ken.close()
        server.kill()


def whole(person: Person, count: int) -> None:
    """Wait until so many files have arrived, and none is on its way."""
    person.until(lambda: len(person.all(".uploads li")) == count and not person.all(".uploads progress"))


def test_a_picture_is_picked_sent_with_words_and_seen(people: tuple[Server, Person, Person], tmp_path: Path) -> None:
    _, aiko, ken = people
    picture = tmp_path / "写真.jpg"
    picture.write_bytes(SAMPLES["jpeg"])
    aiko.run("document.querySelector('input[type=file]').classList.remove('unseen')")
    aiko.one("input[type=file]").send_keys(str(picture))
    whole(aiko, 1)
    aiko.say("look")
    ken.until(lambda: ken.run("return document.querySelector('.picture img')?.naturalWidth") == 40)
    assert ken.run("const one = document.querySelector('.picture img'); return [one.width, one.height, one.alt]") == [40, 20, "写真.jpg"]
    assert ken.texts()[-1] == "look"
    assert not aiko.all(".uploads li")


def test_a_file_alone_is_a_message_and_a_dangerous_one_is_to_be_saved(people: tuple[Server, Person, Person]) -> None:
    _, aiko, ken = people
    aiko.run(PASTE, "page.html", "<script>alert(1)</script>")
    whole(aiko, 1)
    aiko.one("button.send").click()
    link = ken.one(".file")
    assert link.get_attribute("download") == "page.html"
    assert "page.html" in link.text


def test_one_that_was_dropped_arrives_through_a_restart(people: tuple[Server, Person, Person]) -> None:
    server, aiko, ken = people
    aiko.run(DROP, "zeros.bin")
    server.kill()
    server.start()
    aiko.until(aiko.live)
    aiko.until(lambda: aiko.all(".uploads li"))
    if aiko.all(".uploads .failed"):  # it had not been announced when the server went: the person tries again
        aiko.one(".uploads li button").click()
        aiko.run(DROP, "zeros.bin")
    whole(aiko, 1)
    aiko.say("zeros")
    ken.until(lambda: "zeros.bin" in "".join(ken.shown(".file")))


def test_what_was_chosen_can_be_taken_back_by_keyboard(people: tuple[Server, Person, Person]) -> None:
    _, aiko, _ = people
    aiko.run(DROP, "zeros.bin")
    whole(aiko, 1)
    button = aiko.one(".uploads li button")
    assert button.get_attribute("aria-label") == "Remove zeros.bin"
    button.send_keys(" ")
    aiko.until(lambda: not aiko.all(".uploads li"))
