/**
 * Whether a key belongs to an input method. Decided here, once for every place where a key has a meaning: Safari ends
 * the composition before the key that ended it, so that only its code 229 tells; the flag covers browsers that forget both.
 */

let composing = false;

/** @param {{isComposing?: boolean, keyCode?: number}} key */
export function ime(key) {
  return key.isComposing === true || key.keyCode === 229 || composing;
}

/** Watch all compositions of a document. @param {EventTarget} place */
export function watchCompositions(place) {
  place.addEventListener("compositionstart", () => (composing = true), true);
  place.addEventListener("compositionend", () => (composing = false), true);
}
