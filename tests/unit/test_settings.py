"""Settings: who wins, and what is refused by name."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from kodama.app.settings import SETTINGS, BadSetting, Settings


def test_every_setting_is_a_field_and_every_field_a_setting() -> None:
    assert {one.name for one in SETTINGS} == {field.name for field in fields(Settings)}


def test_the_command_line_wins_over_the_environment_over_the_file_over_the_default(tmp_path: Path) -> None:
    config = tmp_path / "kodama.toml"
    config.write_text('port = 1\nhost = "127.0.0.2"\nhold = 5\n')
    environ = {"KODAMA_PORT": "2", "KODAMA_HOST": "127.0.0.3", "HOME": "/home/aiko"}

    settings = Settings.load(environ, config=config, overrides={"port": 3, "host": None})

    assert (settings.port, settings.host, settings.hold) == (3, "127.0.0.3", 5.0)
    assert settings.data == Path("/home/aiko/.local/share/kodama")
    assert settings.write_burst == 60


def test_the_data_directory_follows_xdg() -> None:
    assert Settings.load({"XDG_DATA_HOME": "/var/xdg"}).data == Path("/var/xdg/kodama")


def test_lists_are_given_with_commas_or_as_toml_lists(tmp_path: Path) -> None:
    config = tmp_path / "kodama.toml"
    config.write_text('hosts = ["a.example", "b.example"]\njsonp = false\n')
    settings = Settings.load({"KODAMA_ORIGINS": "https://a.example, https://b.example"}, config=config)
    assert settings.hosts == ("a.example", "b.example")
    assert settings.origins == ("https://a.example", "https://b.example")
    assert settings.jsonp is False


def test_an_empty_exemption_turns_it_off() -> None:
    assert Settings.load({"KODAMA_LIMIT_EXEMPT": ""}).limit_exempt == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "65536"), ("PORT", "http"), ("PORT", ""), ("HOLD", "nan"), ("HOLD", "0"), ("GUESTS", "maybe"),
        ("STORE", "mysql://db/kodama"), ("STORE", "mysql"), ("BUS", "kafka://x"), ("LIMIT_EXEMPT", "all"),
        ("TRUSTED_PROXIES", "10.0.0.0/33"), ("TRUSTED_PROXIES", "proxy.example"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_right_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(BadSetting, match=f"^KODAMA_{name} (is|names) .*\\.$"):
        Settings.load({f"KODAMA_{name}": value})


@pytest.mark.parametrize("content", [b"prot = 1\n", b"port = \n", b"port = 'x'\n", b"\xff"])
def test_a_file_that_cannot_be_right_is_refused(tmp_path: Path, content: bytes) -> None:
    config = tmp_path / "kodama.toml"
    config.write_bytes(content)
    with pytest.raises(BadSetting, match=r"\.$"):
        Settings.load({}, config=config)


def test_a_file_that_is_not_there_is_said_to_be_unreadable(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match="cannot be read: No such file"):
        Settings.load({}, config=tmp_path / "none.toml")
