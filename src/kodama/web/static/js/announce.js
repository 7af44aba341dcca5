/**
 * What a screen reader is told of what arrives. Decided here: up to three messages in a breath are read, more are counted,
 * and each person says how much they want to hear.
 *
 * @typedef {{line: string, forMe: boolean}} News
 */

const BREATH = 1500;
const READ = 3;

/** @param {readonly News[]} news @param {"off" | "mentions" | "all"} level @param {(key: string, values: any) => string} t */
export function spoken(news, level, t) {
  const wanted = level === "off" ? [] : news.filter((one) => level === "all" || one.forMe);
  if (wanted.length <= READ) return wanted.map((one) => one.line).join("\n");
  const forMe = wanted.filter((one) => one.forMe).length;
  return t("announceMany", { n: wanted.length }) + (forMe ? ` ${t("announceForMe", { n: forMe })}` : "");
}

/** @param {HTMLElement} region @param {() => "off" | "mentions" | "all"} level @param {(key: string, values: any) => string} t */
export function announcer(region, level, t) {
  /** @type {News[]} */
  let queue = [];
  let timer = 0;
  return (/** @type {News} */ news) => {
    queue.push(news);
    timer ||= setTimeout(() => {
      region.replaceChildren(spoken(queue, level(), t));  // a new node is told even if it says the same
      queue = [];
      timer = 0;
    }, BREATH);
  };
}
