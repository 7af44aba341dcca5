/** Tells screen readers of new messages. Decided here: up to three in a breath are read, more are counted. */

import { newOnes } from "./words.js";

const BREATH = 1500;

/** @param {HTMLElement} region */
export function announcer(region) {
  /** @type {string[]} */
  let queue = [];
  let timer = 0;

  function speak() {
    timer = 0;
    region.textContent = queue.length > 3 ? newOnes(queue.length) : queue.join("\n");
    queue = [];
  }

  return (/** @type {string} */ line) => {
    queue.push(line);
    timer ||= setTimeout(speak, BREATH);
  };
}
