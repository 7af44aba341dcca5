/** Requests of the console. Decided here: a refusal is an error with the server's code and words; nothing is tried again unasked. */

/** @typedef {Error & {code: string, status: number}} Refusal */

/** @param {number} status @param {any} problem @returns {Refusal} */
const refusal = (status, problem) =>
  Object.assign(new Error(problem?.detail ?? problem?.title ?? String(status)), { code: problem?.code ?? "", status });

/** @param {string} method @param {string} path @param {unknown} [body] @returns {Promise<any>} */
export async function ask(method, path, body) {
  const headers = body === undefined ? undefined : { "Content-Type": "application/json" };
  const given = body === undefined ? undefined : JSON.stringify(body);
  const answer = await fetch(path, { method, headers, body: given, cache: "no-store" }).catch(() => null);
  if (!answer) throw refusal(0, null);
  const value = answer.status === 204 ? null : await answer.json().catch(() => null);
  if (!answer.ok) throw refusal(answer.status, value);
  return value;
}

/** @param {string} room */
export const ofRoom = (room) => `/v1/rooms/${encodeURIComponent(room)}`;
