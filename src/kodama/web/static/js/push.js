/**
 * This browser's push subscription. Decided here: it is renewed at each visit, and made anew where the server has another
 * key; where a browser cannot, the page says why.
 *
 * @typedef {(method: string, path: string, body?: object) => Promise<any>} Ask
 */

const WORKER = "/sw.js";
const policy = /** @type {any} */ (globalThis).trustedTypes?.createPolicy("kodama worker", {
  createScriptURL: (/** @type {string} */ url) => (url === WORKER ? url : ""),
});

/** Why this browser cannot be called: "" if it can. @returns {"" | "insecure" | "ios" | "unsupported" | "denied"} */
export function hindrance() {
  if (!isSecureContext) return "insecure";
  if (!("PushManager" in globalThis) || !navigator.serviceWorker) return /iPhone|iPad|Macintosh.*Mobile/u.test(navigator.userAgent) ? "ios" : "unsupported";
  return Notification.permission === "denied" ? "denied" : "";
}

/** @returns {Promise<PushSubscription | null>} */
export async function subscribed() {
  const worker = await navigator.serviceWorker?.getRegistration("/");
  return (await worker?.pushManager?.getSubscription()) ?? null;
}

/** @param {PushSubscription} one @param {string} key */
function fits(one, key) {
  const raw = one.options.applicationServerKey;
  if (!raw) return true;
  const own = btoa(String.fromCharCode(...new Uint8Array(raw)));
  return own.replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/u, "") === key;
}

/** Have this browser called; false if the person does not allow it. @param {Ask} ask */
export async function subscribe(ask) {
  if ((await Notification.requestPermission()) !== "granted") return false;
  await navigator.serviceWorker.register(policy?.createScriptURL(WORKER) ?? WORKER);
  const { pushManager } = await navigator.serviceWorker.ready;
  const { key } = await ask("GET", "/v1/push");
  let one = await pushManager.getSubscription();
  if (one && !fits(one, key)) {
    await one.unsubscribe();
    one = null;
  }
  one ??= await pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key });
  await ask("POST", "/v1/push", one.toJSON());
  return true;
}

/** Have it called no more. @param {Ask} ask */
export async function unsubscribe(ask) {
  const one = await subscribed();
  if (!one) return;
  await ask("DELETE", "/v1/push", { endpoint: one.endpoint });
  await one.unsubscribe();
}

/** Say that this browser is still here, if it is to be called. @param {Ask} ask */
export async function renew(ask) {
  if (!hindrance() && Notification.permission === "granted" && (await subscribed())) await subscribe(ask);
}
