/**
 * Links that give somebody something: the server itself, or a room. Decided here: the code stands after the # of an
 * address, where no log sees it, is taken out of the address at once, and is used when it is known who came.
 *
 * @typedef {{is: "owner" | "invite", code: string}} Gift
 */

/** What an address gives, if anything. @param {string} hash @returns {Gift | null} */
export function giftIn(hash) {
  const found = /^#(owner|invite)=([\w-]{8,64})$/u.exec(hash);
  return found ? { is: /** @type {Gift["is"]} */ (found[1]), code: found[2] } : null;
}

/** Take the gift out of the address. @returns {Gift | null} */
export function unwrap() {
  const gift = giftIn(location.hash);
  if (gift) history.replaceState(null, "", location.pathname + location.search);
  return gift;
}

/**
 * Use it; says what has come of it, as a key of the words.
 * @param {Gift} gift @param {import("../client/src/net.js").Net} net
 */
export async function use(gift, net) {
  if (gift.is === "owner") await net.ask("POST", "/v1/owner", { code: gift.code });
  else await net.ask("POST", `/v1/invites/${encodeURIComponent(gift.code)}`);
  return gift.is === "owner" ? "ownerNow" : "letIn";
}
