/** Passkeys of this browser. Decided here: they are of the server's own page; a frame of another site asks for none. */

import { embedded } from "./embed.js";

/** @typedef {import("./push.js").Ask} Ask */

/** Whether they can be made and shown here. */
export const possible = () => !embedded && isSecureContext && "parseCreationOptionsFromJSON" in (globalThis.PublicKeyCredential ?? {});

const kind = () => /** @type {any} */ (PublicKeyCredential);

/** Make one for the account that is signed in. @param {Ask} ask @param {string} password @param {string} name */
export async function make(ask, password, name) {
  const offered = await ask("POST", "/v1/accounts/passkeys/new", { password });
  const made = await navigator.credentials.create({ publicKey: kind().parseCreationOptionsFromJSON(offered.publicKey) });
  await ask("POST", "/v1/accounts/passkeys", { passkey: /** @type {any} */ (made).toJSON(), name });
}

/** Sign in by one; returns the session. @param {Ask} ask */
export async function enter(ask) {
  const asked = await ask("POST", "/v1/accounts/passkeys/challenge", {});
  const shown = await navigator.credentials.get({ publicKey: kind().parseRequestOptionsFromJSON(asked.publicKey) });
  return ask("POST", "/v1/session", { passkey: /** @type {any} */ (shown).toJSON() });
}
