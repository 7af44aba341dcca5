"""Passkeys made and shown by a real Chromium, whose authenticator is virtual."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.virtual_authenticator import VirtualAuthenticatorOptions

from tests.browser.chromium import Browser, Server

pytestmark = [pytest.mark.browser]

PAGE = """
window.ask = async (path, body, token, method = "POST") => {
  const headers = { "Content-Type": "application/json", ...(token && { Authorization: `Bearer ${token}` }) };
  const answer = await fetch(path, { method, headers, body: JSON.stringify(body), credentials: "omit" });
  return answer.json();
};
window.account = async () => {
  const made = await ask("/v1/accounts", { login: "aiko", password: "a long sentence", name: "Aiko" });
  const offered = await ask("/v1/accounts/passkeys/new", { password: "a long sentence" }, made.token);
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(offered.publicKey);
  const passkey = (await navigator.credentials.create({ publicKey })).toJSON();
  const added = await ask("/v1/accounts/passkeys", { passkey, name: "Laptop" }, made.token);
  return [made.user.id, added.name];
};
window.enter = async () => {
  const asked = await ask("/v1/accounts/passkeys/challenge", {});
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(asked.publicKey);
  const passkey = (await navigator.credentials.get({ publicKey })).toJSON();
  const opened = await ask("/v1/session", { passkey });
  return opened.user ? opened.user.id : opened.code;
};
"""


@pytest.fixture
def browser(tmp_path: Path) -> Iterator[Browser]:
    server, browser = Server(tmp_path / "data"), Browser()
    options = VirtualAuthenticatorOptions()
    options.has_resident_key = options.has_user_verification = options.is_user_verified = True
    browser.driver.add_virtual_authenticator(options)
    browser.driver.get(f"http://localhost:{server.port}/robots.txt")
    browser.run(PAGE)
    yield browser
    browser.close()
    server.kill()


def test_a_passkey_that_chromium_makes_signs_in_again_and_again_but_not_without_the_person(
    browser: Browser,
) -> None:
    user, name = browser.wait("account()")
    assert name == "Laptop"
    assert [browser.wait("enter()") for _ in range(2)] == [user, user]
    browser.driver.set_user_verified(False)
    assert "NotAllowedError" in browser.wait("enter()")
