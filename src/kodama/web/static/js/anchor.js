/**
 * The arithmetic of a list that does not jump. Decided here: at the end it sticks to the end until somebody scrolls up;
 * elsewhere the topmost row that is still there stays where it was on the screen.
 *
 * @typedef {{key: string, top: number, height: number}} Box a row: its place from the top of the content
 * @typedef {{key: string, from: number}} Anchor a row and how far below the upper edge it stands
 */

export const NEAR = 60;

/** How far the lower edge is from the end of the content. @param {{scrollTop: number, scrollHeight: number, clientHeight: number}} view */
export const left = (view) => view.scrollHeight - view.scrollTop - view.clientHeight;

/** Whether the list sticks to its end after a scroll. @param {{sticking: boolean, top: number, lastTop: number, left: number}} now */
export function sticks({ sticking, top, lastTop, left: rest }) {
  if (rest <= NEAR) return true;
  return sticking && top >= lastTop;
}

/** The rows on the screen, topmost first, to hold on to. @param {readonly Box[]} boxes @param {number} top @param {number} height @returns {Anchor[]} */
export function anchors(boxes, top, height) {
  const found = [];
  for (let index = firstBelow(boxes, top); index < boxes.length && boxes[index].top < top + height; index += 1) {
    found.push({ key: boxes[index].key, from: boxes[index].top - top });
  }
  return found;
}

/** Where to scroll so that the first anchor that is still there stands still; undefined if none is. @param {readonly Anchor[]} held @param {(key: string) => number | undefined} topOf */
export function settled(held, topOf) {
  for (const { key, from } of held) {
    const top = topOf(key);
    if (top !== undefined) return Math.max(0, top - from);
  }
  return undefined;
}

/** The first row that ends below `top`, by halving. @param {readonly Box[]} boxes @param {number} top */
function firstBelow(boxes, top) {
  let low = 0;
  let high = boxes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (boxes[middle].top + boxes[middle].height <= top) low = middle + 1;
    else high = middle;
  }
  return low;
}
