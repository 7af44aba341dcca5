/**
 * What a person chose, and what a browser keeps for them. Decided here: storage may be full, forbidden or emptied at any
 * moment, and nothing but convenience is lost with it.
 *
 * @typedef {{language: "auto" | "en" | "ja", theme: "auto" | "light" | "dark", announce: "off" | "mentions" | "all",
 *   enter: "send" | "newline", keys: "on" | "off", sound: "off" | "mentions" | "all"}} Settings
 */

/** @type {Settings} */
export const DEFAULTS = { language: "auto", theme: "auto", announce: "all", enter: "send", keys: "on", sound: "off" };

/** @type {{[K in keyof Settings]: Settings[K][]}} */
export const CHOICES = {
  language: ["auto", "en", "ja"], theme: ["auto", "light", "dark"], announce: ["off", "mentions", "all"],
  enter: ["send", "newline"], keys: ["on", "off"], sound: ["off", "mentions", "all"],
};

/** @param {string} name @param {any} otherwise @returns {any} */
export function kept(name, otherwise) {
  try {
    const found = localStorage.getItem(`kodama page ${name}`);
    return found === null ? otherwise : JSON.parse(found);
  } catch {
    return otherwise;
  }
}

/** Keep a value; null forgets it. @param {string} name @param {any} value */
export function keep(name, value) {
  try {
    if (value === null) localStorage.removeItem(`kodama page ${name}`);
    else localStorage.setItem(`kodama page ${name}`, JSON.stringify(value));
  } catch {
    // Then it lasts as long as the page.
  }
}

/** @param {unknown} found @returns {Settings} */
export function settingsOf(found) {
  const chosen = /** @type {any} */ ({ ...DEFAULTS });
  for (const [name, choices] of Object.entries(CHOICES)) {
    const value = /** @type {any} */ (found)?.[name];
    if (/** @type {string[]} */ (choices).includes(value)) chosen[name] = value;
  }
  return chosen;
}
