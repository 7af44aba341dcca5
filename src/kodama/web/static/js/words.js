/**
 * The words of the page, and dates as people write them. Decided here: the language is the person's choice, else the
 * browser's, whose words alone are fetched, and changes without a reload; numbers, plurals and dates are `Intl`'s.
 */

/** @type {Record<"en" | "ja", () => Promise<{WORDS: Record<string, string | {one: string, other: string}>}>>} */
const CATALOGUES = { en: () => import("./words/en.js"), ja: () => import("./words/ja.js") };

/** @type {"en" | "ja"} */
let language = "en";
/** @type {Record<string, string | {one: string, other: string}>} */
let words = {};
/** @type {Record<"en" | "ja", typeof words>} */
const late = { en: {}, ja: {} };
let plural = new Intl.PluralRules("en");
let numbers = new Intl.NumberFormat("en");
/** @type {Record<string, Intl.DateTimeFormat>} */
let formats = {};

/**
 * Fetch the words of a language, speak it from now on, and say which it is; another page brings its own words, too.
 * @param {"auto" | "en" | "ja"} chosen @param {typeof CATALOGUES} [besides]
 */
export async function speak(chosen, besides) {
  const own = globalThis.navigator?.language?.startsWith("ja") ? "ja" : "en";
  const next = chosen === "auto" ? own : chosen;
  const [mine, more] = await Promise.all([CATALOGUES[next](), besides?.[next]()]);
  words = { ...mine.WORDS, ...more?.WORDS };
  language = next;
  plural = new Intl.PluralRules(language);
  numbers = new Intl.NumberFormat(language);
  formats = {};
  return language;
}

/** Words of what comes later, in both languages, under a mark of their own. @param {string} mark @param {Record<"en" | "ja", typeof words>} more */
export function bring(mark, more) {
  for (const one of /** @type {const} */ (["en", "ja"])) for (const [key, text] of Object.entries(more[one])) late[one][mark + key] = text;
}

/** The language that is spoken. */
export const spoken = () => language;

/** @param {string} key @param {Record<string, string | number>} [values] */
export function t(key, values = {}) {
  const found = words[key] ?? late[language][key] ?? key;
  const text = typeof found === "string" ? found : found[plural.select(Number(values.n)) === "one" ? "one" : "other"];
  return text.replace(/\{(\w+)\}/gu, (_, name) => {
    const value = values[name] ?? "";
    return typeof value === "number" ? numbers.format(value) : value;
  });
}

/** The words for a refusal. @param {any} error */
export const problem = (error) => {
  if (error?.why && `why ${error.why}` in words) return t(`why ${error.why}`) + (error.until ? ` ${t("whyUntil", { when: brief(error.until) })}` : "");
  const key = `error ${error?.code ?? ""}`;
  return key in words ? t(key) : String(error?.message ?? error);
};

/** @param {string} name @param {Intl.DateTimeFormatOptions} options @param {string} time */
function date(name, options, time) {
  formats[name] ??= new Intl.DateTimeFormat(language, options);
  const when = new Date(time);
  return Number.isNaN(when.getTime()) ? "" : formats[name].format(when);
}

/** @param {string} time */
export const clock = (time) => date("clock", { hour: "2-digit", minute: "2-digit" }, time);
/** @param {string} time */
export const day = (time) => date("day", { weekday: "long", month: "long", day: "numeric", year: "numeric" }, time);
/** @param {string} time */
export const moment = (time) => date("moment", { dateStyle: "full", timeStyle: "short" }, time);
/** @param {string} time */
export const brief = (time) => date("brief", { dateStyle: "medium", timeStyle: "short" }, time);
/** @param {number} value @param {Intl.NumberFormatOptions} options */
export const number = (value, options) => new Intl.NumberFormat(language, options).format(value);
/** @param {readonly string[]} names */
export const list = (names) => new Intl.ListFormat(language, { type: "conjunction" }).format(names);
