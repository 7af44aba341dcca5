/**
 * Long polls by script element, where fetch cannot reach. Decided here: the answer is called by a name made for it
 * alone, and the only addresses a script is loaded from are built here (Trusted Types policy `kodama`).
 */

import { KodamaError, random } from "./net.js";
import { polls } from "./poll.js";

/** @type {any} */
const scope = globalThis;
const policy = scope.trustedTypes?.createPolicy("kodama", { createScriptURL: (/** @type {string} */ url) => url });

/** @param {string} url @param {AbortSignal} signal @returns {Promise<any>} */
function call(url, signal) {
  const name = `kodama_${random(12)}`;
  const script = document.createElement("script");
  return new Promise((done, fail) => {
    const stop = () => fail(new KodamaError(0));
    const timer = setTimeout(stop, 45_000);
    signal.addEventListener("abort", stop, { once: true });
    script.onerror = stop;
    scope[name] = (/** @type {any} */ answer) => {
      clearTimeout(timer);
      if (answer.error) fail(new KodamaError(answer.error.status, answer.error));
      else done(answer);
    };
    const asked = `${url}&callback=${name}`;
    script.src = policy ? policy.createScriptURL(asked) : asked;
    document.head.append(script);
  }).finally(() => {
    script.remove();
    scope[name] = () => delete scope[name];
  });
}

/** @param {import("./net.js").Net} net @param {import("./types.js").Reading} reading */
export function jsonp(net, reading) {
  let { ticket } = net.options;
  return polls(reading, (path, signal) => call(net.url + path + (ticket ? `&ticket=${ticket}` : ""), signal), (answer) => {
    ticket = net.options.ticket = answer.ticket ?? ticket;
    return {};
  });
}
