/** Names can be read on every ground they stand on, whatever their hue (WCAG 2.2, 1.4.3). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { hueOf } from "../../../src/kodama/web/static/js/text.js";

const css = readFileSync(new URL("../../../src/kodama/web/static/style.css", import.meta.url), "utf8");

/** The variables of a block that begins with `selector`. */
function theme(selector) {
  const block = css.slice(css.indexOf(selector)).match(/\{([^}]*)\}/u)[1];
  return Object.fromEntries([...block.matchAll(/--([\w-]+):\s*([^;]+);/gu)].map(([, name, value]) => [name, value]));
}

const channel = (value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
const luminance = ([red, green, blue]) => 0.2126 * red + 0.7152 * green + 0.0722 * blue;

function hex(text) {
  const full = text.length === 4 ? [...text.slice(1)].map((one) => one + one).join("") : text.slice(1);
  return luminance([0, 2, 4].map((at) => channel(Number.parseInt(full.slice(at, at + 2), 16) / 255)));
}

/** Linear sRGB of OKLCH (CSS Color 4), clipped to what a screen shows. */
function oklch(lightness, chroma, hue) {
  const [a, b] = [Math.cos, Math.sin].map((turn) => chroma * turn((hue * Math.PI) / 180));
  const [l, m, s] = [[0.3963377774, 0.2158037573], [-0.1055613458, -0.0638541728], [-0.0894841775, -1.291485548]]
    .map(([x, y]) => (lightness + x * a + y * b) ** 3);
  const linear = [[4.0767416621, -3.3077115913, 0.2309699292], [-1.2684380046, 2.6097574011, -0.3413193965], [-0.0041960863, -0.7034186147, 1.707614701]]
    .map(([x, y, z]) => x * l + y * m + z * s);
  return luminance(linear.map((one) => Math.min(1, Math.max(0, one))));
}

for (const [name, selector] of [["light", ":root {"], ["dark", ':root[data-theme="dark"] {\n  --ground']]) {
  test(`every hue of a name has 4.5:1 in the ${name} theme`, () => {
    const values = theme(selector);
    for (let hue = 0; hue < 360; hue += 1) {
      const colour = oklch(Number(values.name), Number(values.chroma), hue);
      for (const ground of ["raised", "ground", "hover", "glow", "tint"]) {
        const behind = hex(values[ground]);
        const ratio = (Math.max(colour, behind) + 0.05) / (Math.min(colour, behind) + 0.05);
        assert.ok(ratio >= 4.5, `hue ${hue} on ${ground}: ${ratio.toFixed(2)}`);
      }
    }
  });
}

for (const [name, selector] of [["light", ":root {"], ["dark", ':root[data-theme="dark"] {\n  --ground']]) {
  test(`every colour of code has 4.5:1 in the ${name} theme`, () => {
    const values = theme(selector);
    const used = [...css.matchAll(/^\.code-[^{]*\{ color: var\(--([\w-]+)\); \}$/gmu)].map(([, one]) => one);
    assert.ok(used.length >= 7);
    for (const one of used) {
      const [colour, behind] = [hex(values[one]), hex(values.ground)];
      const ratio = (Math.max(colour, behind) + 0.05) / (Math.min(colour, behind) + 0.05);
      assert.ok(ratio >= 4.5, `${one}: ${ratio.toFixed(2)}`);
    }
  });
}

test("the theme that the system asks for is the one that may be chosen", () => {
  assert.deepEqual(theme(':root:not([data-theme="light"])'), theme(':root[data-theme="dark"] {\n  --ground'));
});

test("hues are spread and stay", () => {
  const hues = Array.from({ length: 300 }, (_, index) => hueOf(`g_${index.toString(36)}Aiko`));
  assert.ok(new Set(hues.map((hue) => Math.floor(hue / 30))).size === 12);
  assert.ok(hues.every((hue) => hue >= 0 && hue < 360));
  assert.equal(hueOf("g_1Aiko"), hueOf("g_1Aiko"));
});
