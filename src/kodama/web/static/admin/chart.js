/** Lines drawn as SVG. Decided here: a chart says in words what it shows now; its picture adds only where that came from. */

import { html } from "../js/html.js";
import { spoken, t } from "../js/words.js";
import { ceiling } from "./numbers.js";

/** @typedef {import("./numbers.js").Line} Line */
/** @typedef {"count" | "rate" | "seconds" | "bytes"} Unit */

const WIDE = 320;
const HIGH = 96;
const SPAN = [60_000, 300_000];

/** @param {number | null | undefined} value @param {Unit} unit */
export function shown(value, unit) {
  if (value === null || value === undefined) return "–";
  const digits = (/** @type {number} */ most) => new Intl.NumberFormat(spoken(), { maximumFractionDigits: most });
  if (unit === "bytes") return `${digits(1).format(value / 1_048_576)} MiB`;
  if (unit === "seconds") return value < 1 ? `${digits(1).format(value * 1000)} ms` : `${digits(1).format(value)} s`;
  return unit === "rate" ? t("aSecond", { value: digits(1).format(value) }) : digits(0).format(value);
}

/** How much time a picture shows: all there is, within bounds. @param {number} begin @param {number} end */
const spanned = (begin, end) => Math.min(SPAN[1], Math.max(SPAN[0], end - begin));

/** The path of a line; a look without a value leaves a hole. @param {Line} line @param {number} end @param {number} top @param {number} [span] */
export function path(line, end, top, span = SPAN[1]) {
  let drawn = "";
  let pen = "M";
  for (const { at, value } of line.points) {
    if (value === null) {
      pen = "M";
      continue;
    }
    const x = WIDE * (1 - (end - at) / span);
    const y = HIGH * (1 - value / top);
    drawn += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = "L";
  }
  return drawn;
}

/** @param {{title: string, unit: Unit, lines: Line[]}} chart */
export function chart({ title, unit, lines }) {
  const values = lines.flatMap((line) => line.points.map((point) => point.value ?? 0));
  const times = lines.flatMap((line) => line.points.map((point) => point.at));
  const end = Math.max(0, ...times);
  const span = spanned(Math.min(end, ...times), end);
  const top = ceiling(Math.max(0, ...values) / (unit === "bytes" ? 1_048_576 : 1)) * (unit === "bytes" ? 1_048_576 : 1);
  return html`<figure class="chart" key=${title}>
    <figcaption><h2>${t(title)}</h2><small aria-hidden="true">${shown(top, unit)}</small></figcaption>
    <svg viewBox=${`0 -2 ${WIDE} ${HIGH + 4}`} preserveAspectRatio="none" aria-hidden="true" focusable="false">
      ${[0, 0.5, 1].map((part) => html`<line key=${part} class="grid" x1="0" x2=${WIDE} y1=${HIGH * part} y2=${HIGH * part} />`)}
      ${lines.map((line, at) => html`<path key=${line.name} class=${`line${at % 6}`} d=${path(line, end, top, span)} />`)}
    </svg>
    <dl>${lines.map((line, at) => html`<div key=${line.name}><dt><i class=${`line${at % 6}`}></i>${t(line.name)}</dt>
      <dd>${shown(line.points.at(-1)?.value, unit)}</dd></div>`)}</dl>
  </figure>`;
}
