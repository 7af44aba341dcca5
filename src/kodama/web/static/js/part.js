/** A part of a dialog that opens. Decided here: what stands in it is asked for whenever it is opened, and again after each deed. */

import { Component } from "../vendor/preact.mjs";
import { html } from "./html.js";
import { w } from "./orderwords.js";
import { problem } from "./words.js";

const TRIES = 5;

/** @typedef {(what: () => Promise<any>) => Promise<void>} Does */

/** `look` asks the server, `draw` shows what it said and is given what does a deed. */
export class Part extends Component {
  /** @type {{found: any, said: string, busy: boolean}} */ state = { found: null, said: "", busy: false };

  componentDidMount() {
    if (this.props.open) void this.look();
  }

  /** @param {Event} event */
  toggled = (event) => {
    if (/** @type {HTMLDetailsElement} */ (event.currentTarget).open && !this.state.busy) void this.look();
  };

  look = () => this.#attempt(async () => undefined);
  /** @type {Does} */ does = (what) => this.#attempt(what);

  /** @param {() => Promise<string | undefined>} what */
  async #attempt(what) {
    this.setState({ busy: true, said: "" });
    try {
      const said = await what();
      this.setState({ found: await this.#patiently(), said: said ?? "" });
    } catch (error) {
      this.setState({ said: problem(error) });
    }
    this.setState({ busy: false });
  }

  /** Look again if what failed may pass. */
  async #patiently() {
    for (let tries = 1; ; tries += 1) {
      try {
        return await this.props.look();
      } catch (thrown) {
        const error = /** @type {any} */ (thrown);
        if (!error.passing || tries === TRIES) throw error;
        await new Promise((done) => setTimeout(done, Math.max(error.after, 300 * 2 ** tries)));
      }
    }
  }

  render() {
    const { label, open, draw } = this.props;
    const { found, said, busy } = this.state;
    return html`<details class="part" open=${Boolean(open)} onToggle=${this.toggled}><summary>${label}</summary>
      ${found ? draw(found, this.does, busy) : null}<p class="hint" role="status">${said || (found ? "" : busy ? w("loading") : "")}</p></details>`;
  }
}

/** Rows, or that there are none. @param {any[]} rows */
export const rows = (rows) => (rows.length ? html`<ul class="rows">${rows}</ul>` : html`<p class="hint">${w("nothing")}</p>`);
