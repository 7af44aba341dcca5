/**
 * A text as a QR code (ISO/IEC 18004), of any length that one holds. Decided here: bytes of UTF-8 at level M, which a
 * camera reads from a wall; and the pattern is what is drawn, a path, so that no picture is fetched.
 */

/** Bytes for correction in each block, and how many blocks, by version from 1. */
const SPARE = [10, 16, 26, 18, 24, 16, 18, 22, 22, 26, 30, 22, 22, 24, 24, 28, 28, 26, 26, 26, 26, ...Array(19).fill(28)];
const BLOCKS = [1, 1, 1, 2, 2, 4, 4, 4, 5, 5, 5, 8, 9, 9, 10, 10, 11, 13, 14, 16, 17, 17, 18, 20, 21, 23, 25, 26, 28, 29, 31, 33, 35, 37, 38, 40, 43, 45, 47, 49];
const MASKS = /** @type {((x: number, y: number) => boolean)[]} */ ([
  (x, y) => (x + y) % 2 === 0, (_, y) => y % 2 === 0, (x) => x % 3 === 0, (x, y) => (x + y) % 3 === 0,
  (x, y) => (Math.floor(x / 3) + Math.floor(y / 2)) % 2 === 0, (x, y) => ((x * y) % 2) + ((x * y) % 3) === 0,
  (x, y) => (((x * y) % 2) + ((x * y) % 3)) % 2 === 0, (x, y) => (((x + y) % 2) + ((x * y) % 3)) % 2 === 0,
]);

/** Where the centres of the small squares lie, in both directions. @param {number} version */
function centres(version) {
  if (version === 1) return [];
  const many = Math.floor(version / 7) + 2;
  const step = version === 32 ? 26 : Math.ceil((4 * version + 4) / (2 * many - 2)) * 2;
  return [6, ...Array.from({ length: many - 1 }, (_, index) => 4 * version + 10 - step * index).reverse()];
}

/** How many bytes a version holds, those for correction among them. @param {number} version */
function room(version) {
  const many = centres(version).length;
  const patterns = many ? 25 * many * many - 10 * many - 55 : 0;
  return Math.floor((16 * version * version + 128 * version + 64 - patterns - (version >= 7 ? 36 : 0)) / 8);
}

/** @param {number} version */
const payload = (version) => room(version) - SPARE[version - 1] * BLOCKS[version - 1];

/** A product in the field of 256 elements. @param {number} one @param {number} other */
function times(one, other) {
  let product = 0;
  for (let bit = 7; bit >= 0; bit -= 1) product = ((product << 1) ^ ((product >> 7) * 0x11d) ^ (((other >> bit) & 1) * one)) & 0xff;
  return product;
}

/** The bytes that correct a block (Reed and Solomon). @param {number[]} block @param {number} count */
function correction(block, count) {
  /** @type {number[]} */
  let divisor = [1];
  for (let index = 0, root = 1; index < count; index += 1, root = times(root, 2)) {
    const product = [...divisor.map((one) => one), 0];
    divisor.forEach((one, at) => (product[at + 1] ^= times(one, root)));
    divisor = product;
  }
  const rest = Array(count).fill(0);
  for (const byte of block) {
    const lead = byte ^ rest.shift();
    rest.push(0);
    divisor.slice(1).forEach((one, at) => (rest[at] ^= times(one, lead)));
  }
  return rest;
}

/** All bytes in the order in which they are drawn. @param {Uint8Array} bytes @param {number} version */
function words(bytes, version) {
  const long = version > 9 ? 16 : 8;
  const bits = [0, 1, 0, 0, ...Array.from({ length: long }, (_, at) => (bytes.length >> (long - 1 - at)) & 1)];
  for (const byte of bytes) for (let bit = 7; bit >= 0; bit -= 1) bits.push((byte >> bit) & 1);
  while (bits.length % 8 || bits.length < 8) bits.push(0);
  const data = Array.from({ length: bits.length / 8 }, (_, at) => bits.slice(at * 8, at * 8 + 8).reduce((all, bit) => all * 2 + bit, 0));
  for (let pad = 0xec; data.length < payload(version); pad ^= 0xec ^ 0x11) data.push(pad);
  const blocks = BLOCKS[version - 1];
  const short = Math.floor(data.length / blocks);
  const shorts = blocks - (data.length % blocks);
  let from = 0;
  const cut = Array.from({ length: blocks }, (_, index) => data.slice(from, (from += short + (index < shorts ? 0 : 1))));
  const spare = cut.map((block) => correction(block, SPARE[version - 1]));
  const woven = (/** @type {number[][]} */ rows, /** @type {number} */ length) =>
    Array.from({ length }, (_, at) => rows.flatMap((row) => (at < row.length ? [row[at]] : []))).flat();
  return [...woven(cut, short + 1), ...woven(spare, SPARE[version - 1])];
}

/** Bits that correct a number: its rest by a polynomial. @param {number} value @param {number} by @param {number} width */
function remainder(value, by, width) {
  let rest = value;
  for (let bit = 0; bit < width; bit += 1) rest = (rest << 1) ^ ((rest >> (width - 1)) * by);
  return (value << width) | (rest & ((1 << width) - 1));
}

class Square {
  /** @param {number} version */
  constructor(version) {
    this.size = 17 + 4 * version;
    /** @type {(boolean | null)[][]} null where data goes */
    this.dark = Array.from({ length: this.size }, () => Array(this.size).fill(null));
    const end = this.size - 7;
    for (let at = 0; at < this.size; at += 1) this.dark[6][at] = this.dark[at][6] = at % 2 === 0;
    for (const [x, y] of [[3, 3], [end + 3, 3], [3, end + 3]]) this.ring(x, y, 4);
    const at = centres(version);
    const last = at.at(-1);
    for (const y of at) for (const x of at) if (!((x === 6 && (y === 6 || y === last)) || (x === last && y === 6))) this.ring(x, y, 2);
    this.note(0);
    if (version >= 7) {
      const bits = remainder(version, 0x1f25, 12);
      for (let bit = 0; bit < 18; bit += 1) {
        const [far, near] = [this.size - 11 + (bit % 3), Math.floor(bit / 3)];
        this.dark[near][far] = this.dark[far][near] = ((bits >> bit) & 1) === 1;
      }
    }
    this.free = this.dark.map((row) => row.map((one) => one === null));
  }

  /** Squares around a centre. @param {number} x @param {number} y @param {number} reach */
  ring(x, y, reach) {
    for (let down = -reach; down <= reach; down += 1) {
      for (let right = -reach; right <= reach; right += 1) {
        const far = Math.max(Math.abs(down), Math.abs(right));
        const row = this.dark[y + down];
        if (row && x + right >= 0 && x + right < this.size) row[x + right] = far !== 2 - (reach === 2 ? 1 : 0) && far !== 4;
      }
    }
  }

  /** Say which mask was used, at level M, twice. @param {number} mask */
  note(mask) {
    const bits = remainder(mask, 0x537, 10) ^ 0x5412;
    for (let bit = 0; bit < 15; bit += 1) {
      const dark = ((bits >> bit) & 1) === 1;
      const near = bit < 6 ? bit : bit < 8 ? bit + 1 : 0;
      if (bit < 8) this.dark[near][8] = dark;
      else this.dark[8][bit === 8 ? 7 : 14 - bit] = dark;
      if (bit < 8) this.dark[8][this.size - 1 - bit] = dark;
      else this.dark[this.size - 15 + bit][8] = dark;
    }
    this.dark[this.size - 8][8] = true;
  }

  /** @param {number[]} bytes */
  fill(bytes) {
    let bit = 0;
    for (let right = this.size - 1; right > 0; right -= 2) {
      if (right === 6) right = 5;
      const up = ((right + 1) & 2) === 0;
      for (let step = 0; step < this.size; step += 1) {
        const y = up ? this.size - 1 - step : step;
        for (const x of [right, right - 1]) {
          if (!this.free[y][x]) continue;
          this.dark[y][x] = (((bytes[bit >> 3] ?? 0) >> (7 - (bit & 7))) & 1) === 1;
          bit += 1;
        }
      }
    }
  }

  /** Put a mask on, or take it off. @param {number} mask */
  flip(mask) {
    this.dark.forEach((row, y) => row.forEach((one, x) => {
      if (this.free[y][x] && MASKS[mask](x, y)) row[x] = !one;
    }));
  }

  /** How hard it is to read. */
  get penalty() {
    const rows = this.dark.map((row) => row.map((one) => (one ? "1" : "0")).join(""));
    const columns = rows.map((_, x) => rows.map((row) => row[x]).join(""));
    let sum = 0;
    for (const line of [...rows, ...columns]) {
      for (const run of line.match(/0{5,}|1{5,}/gu) ?? []) sum += run.length - 2;
      for (let at = 0; at + 11 <= line.length; at += 1) if (/^(?:10111010000|00001011101)$/u.test(line.slice(at, at + 11))) sum += 40;
    }
    for (let y = 1; y < this.size; y += 1) {
      for (let x = 1; x < this.size; x += 1) if (new Set([rows[y][x], rows[y - 1][x], rows[y][x - 1], rows[y - 1][x - 1]]).size === 1) sum += 3;
    }
    const dark = rows.join("").replaceAll("0", "").length / this.size ** 2;
    return sum + Math.floor(Math.abs(dark * 20 - 10)) * 10;
  }
}

/** Which squares are dark, row by row, and the mask that was used. Throws if the text is too long. @param {string} text */
export function qr(text) {
  const bytes = new TextEncoder().encode(text);
  let version = 1;
  while (version <= 40 && payload(version) * 8 < bytes.length * 8 + 4 + (version > 9 ? 16 : 8)) version += 1;
  if (version > 40) throw new RangeError("too long for a code");
  const square = new Square(version);
  square.fill(words(bytes, version));
  let best = { mask: 0, penalty: Infinity };
  for (let mask = 0; mask < MASKS.length; mask += 1) {
    square.flip(mask);
    square.note(mask);
    const { penalty } = square;
    if (penalty < best.penalty) best = { mask, penalty };
    square.flip(mask);
  }
  square.flip(best.mask);
  square.note(best.mask);
  return { mask: best.mask, rows: square.dark.map((row) => row.map((one) => one === true)) };
}

/** The dark squares as a path of squares of size 1, with a quiet edge of 4. @param {boolean[][]} rows */
export const path = (rows) => rows.flatMap((row, y) => row.flatMap((dark, x) => (dark ? [`M${x + 4} ${y + 4}h1v1h-1z`] : []))).join("");
