/** Files that messages show. Decided here: an address is made of the file's id and nothing else that a message says is
 * trusted; a picture keeps its place before it is there, so that nothing moves when it comes. */

import { html } from "./html.js";
import { icon } from "./icons.js";
import { number, t } from "./words.js";

const ID = /^[\w-]{22}$/u;
const WIDE = 420;
const TALL = 320;
const PICTURES = ["image/png", "image/jpeg", "image/gif", "image/webp"];

/** @param {unknown} given */
const side = (given) => (Number.isInteger(given) && /** @type {number} */ (given) > 0 && /** @type {number} */ (given) < 1e5 ? /** @type {number} */ (given) : 0);

/** @param {number} bytes */
export function weight(bytes) {
  const steps = ["byte", "kilobyte", "megabyte", "gigabyte"];
  const step = Math.min(steps.length - 1, Math.floor(Math.log(Math.max(bytes, 1)) / Math.log(1000)));
  return number(bytes / 1000 ** step, { style: "unit", unit: steps[step], unitDisplay: step ? "short" : "long", maximumFractionDigits: step ? 1 : 0 });
}

/** The files of a message, as far as they can be. @param {any} data @returns {{id: string, name: string, size: number, picture: boolean, width: number, height: number}[]} */
export function filesIn(data) {
  const listed = Array.isArray(data?.files) ? data.files.slice(0, 20) : [];
  return listed.flatMap((/** @type {any} */ one) => {
    if (typeof one?.file !== "string" || !ID.test(one.file)) return [];
    const [width, height] = [side(one.width), side(one.height)];
    const name = typeof one.name === "string" && one.name ? one.name.slice(0, 120) : "file";
    return [{ id: one.file, name, size: side(one.size) || Number(one.size) || 0, picture: PICTURES.includes(one.type) && width > 0 && height > 0, width, height }];
  });
}

/** @param {any} data */
export function attached(data) {
  const files = filesIn(data);
  if (!files.length) return null;
  return html`<div class="files">${files.map(({ id, name, size, picture, width, height }) => {
    const address = `/files/${id}/${encodeURIComponent(name)}`;
    if (!picture) return html`<a key=${id} class="file" href=${address} download=${name} tabindex="-1">${icon("file")}<bdi>${name}</bdi> <small>${weight(size)}</small></a>`;
    const scale = Math.min(1, WIDE / width, TALL / height);
    return html`<a key=${id} class="picture" href=${address} target="_blank" rel="noopener" tabindex="-1"><img src=${address} alt=${name} loading="lazy" decoding="async"
      width=${Math.max(1, Math.round(width * scale))} height=${Math.max(1, Math.round(height * scale))} /></a>`;
  })}</div>`;
}

/** What is to be sent along, with how far it has come. @param {readonly import("./attach.js").Upload[]} uploads @param {(key: string) => void} remove */
export function chosen(uploads, remove) {
  if (!uploads.length) return null;
  return html`<ul class="uploads" aria-label=${t("filesChosen")}>${uploads.map(({ key, name, size, sent, problem, done }) => html`<li key=${key} class=${problem ? "failed" : ""}>
    <bdi>${name}</bdi> <small>${problem || weight(size)}</small>
    ${done || problem ? null : html`<progress max=${Math.max(size, 1)} value=${sent} aria-label=${t("sendingFile", { name })}></progress>`}
    <button type="button" class="icon" aria-label=${t("removeFile", { name })} title=${t("removeFile", { name })} onClick=${() => remove(key)}>${icon("close")}</button></li>`)}</ul>`;
}
