/**
 * The colours of code, by highlight.js, fetched with the grammar of a language when the first block in it stands on the
 * page. Decided here: it tells us of texts and scopes, of which a tree is made; no HTML is written and none is parsed.
 *
 * @typedef {string | {kind: string, kids: Piece[]}} Piece
 */

/** What a language is called in a fence, to the name of its grammar. @type {Map<string, string>} */
const GRAMMARS = new Map(Object.entries({
  bash: "sh zsh", c: "h", cpp: "c++ cc cxx hpp", csharp: "c# cs", css: "", diff: "patch", dockerfile: "docker", go: "golang",
  ini: "toml", java: "", javascript: "js jsx mjs cjs", json: "jsonc json5 jsonl", kotlin: "kt kts", lua: "", makefile: "make mk",
  markdown: "md", nginx: "", php: "", powershell: "ps1 pwsh", python: "py py3", ruby: "rb", rust: "rs", shell: "console shellsession",
  sql: "", swift: "", typescript: "ts tsx mts cts", xml: "html svg xhtml rss atom", yaml: "yml",
}).flatMap(([grammar, others]) => [grammar, ...others.split(" ")].filter(Boolean).map((name) => [name, grammar])));

/** Grammars that stand within others. @type {Record<string, string[]>} */
const WITHIN = { markdown: ["xml"], shell: ["bash"], xml: ["css", "javascript"] };

/** What the first word of a scope looks like; the others look like the rest. @type {Record<string, string>} */
const KINDS = {
  addition: "new", attr: "name", attribute: "name", built_in: "type", bullet: "word", class: "type", code: "text", comment: "aside",
  deletion: "old", doctag: "word", keyword: "word", link: "text", literal: "value", meta: "aside", name: "word", number: "value",
  property: "name", quote: "aside", regexp: "text", section: "call", string: "text", symbol: "value", template: "name",
  title: "call", type: "type", variable: "name",
};
/** The grammars take time by the square of a line's length: what is longer than a person writes stays plain. */
const LONGEST = 4_000;
const WIDEST = 400;

/** @typedef {Awaited<ReturnType<typeof fresh>>} Highlight */
/** @type {Promise<Highlight> | null} */
let begun = null;
/** @type {Map<string, Promise<unknown>>} */
const known = new Map();

/** Builds the tree of pieces from what highlight.js tells. */
class Tree {
  constructor() {
    /** @type {Piece[]} */
    this.pieces = [];
    this.open = [this.pieces];
  }

  /** @param {string} text */
  addText(text) {
    if (text) /** @type {Piece[]} */ (this.open.at(-1)).push(text);
  }

  /** @param {string} scope */
  startScope(scope) {
    /** @type {Piece[]} */
    const kids = [];
    /** @type {Piece[]} */ (this.open.at(-1)).push({ kind: KINDS[scope.split(".")[0]] ?? "", kids });
    this.open.push(kids);
  }

  endScope() {
    if (this.open.length > 1) this.open.pop();
  }

  /** @param {string} scope */
  openNode(scope) {
    this.startScope(scope);
  }

  closeNode() {
    this.endScope();
  }

  /** @param {Tree} other */
  __addSublanguage(other) {
    /** @type {Piece[]} */ (this.open.at(-1)).push({ kind: "", kids: other.pieces });
  }

  finalize() {}

  toHTML() {
    return "";
  }
}

async function fresh() {
  const { default: core } = await import("../highlight/core.mjs");
  const highlight = core.newInstance();
  highlight.configure({ __emitter: Tree });
  return highlight;
}

/** Have the grammar and those within it, each once; one that did not come is asked for again. @param {string} grammar */
async function learn(grammar) {
  begun ??= fresh();
  begun.catch(() => (begun = null));
  const highlight = await begun;
  for (const name of [grammar, ...(WITHIN[grammar] ?? [])]) {
    if (!known.has(name)) {
      const coming = import(`../highlight/${name}.mjs`).then((one) => highlight.registerLanguage(name, one.default));
      coming.catch(() => known.delete(name));
      known.set(name, coming);
    }
    await known.get(name);
  }
  return highlight;
}

/** The pieces of `text`, whose words make it up again; null where nothing is coloured. @param {string} text @param {string} language */
export async function coloured(text, language) {
  const grammar = GRAMMARS.get(language.toLowerCase());
  if (!grammar || text.length > LONGEST || text.split("\n").some((line) => line.length > WIDEST)) return null;
  const highlight = await learn(grammar);
  /** @type {Piece[]} */
  const pieces = highlight.highlight(text, { language: grammar, ignoreIllegals: true })._emitter.pieces;
  return pieces;
}
