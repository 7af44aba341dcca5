/**
 * Code in a block. Decided here: it stands there plain at once and gets its colours when nothing else is to be done; colours
 * change no size, so that nothing moves, and code without a named language keeps to one.
 *
 * @typedef {import("./colours.js").Piece} Piece
 * @typedef {{text: string, language: string}} Props
 */

import { Component } from "../vendor/preact.mjs";
import { html } from "./html.js";

/** @param {() => void} act */
const idle = (act) => (typeof requestIdleCallback === "function" ? requestIdleCallback(act, { timeout: 2000 }) : setTimeout(act, 50));

/** @param {Piece[]} pieces @returns {any} */
const spans = (pieces) => pieces.map((piece) => (typeof piece === "string" ? piece
  : piece.kind ? html`<span class=${`code-${piece.kind}`}>${spans(piece.kids)}</span>` : spans(piece.kids)));

export class Code extends Component {
  /** @type {{of: Props | null, pieces: Piece[] | null}} */
  state = { of: null, pieces: null };

  componentDidMount() {
    this.colour();
  }

  /** @param {Props} before */
  componentDidUpdate(before) {
    const { text, language } = /** @type {Props} */ (this.props);
    if (before.text !== text || before.language !== language) this.colour();
  }

  componentWillUnmount() {
    this.gone = true;
  }

  colour() {
    const of = /** @type {Props} */ ({ ...this.props });
    if (!of.language) return;
    idle(async () => {
      if (this.gone) return;
      try {
        const { coloured } = await import("./colours.js");
        const pieces = await coloured(of.text, of.language);
        if (!this.gone && pieces) this.setState({ of, pieces });
      } catch (problem) {
        console.warn("code stays without colours", problem);  // the network is away: it can be read all the same
      }
    });
  }

  render() {
    const { text, language } = /** @type {Props} */ (this.props);
    const { of, pieces } = this.state;
    const right = pieces && of?.text === text && of.language === language;
    return html`<pre tabindex="-1"><code>${right ? spans(pieces) : text}</code></pre>`;
  }
}
