/** Tagged templates to Preact's nodes. Decided here: text is always a text node; nothing is ever parsed as HTML. */

import { h } from "../vendor/preact.mjs";
import htm from "../vendor/htm.mjs";

export const html = htm.bind(h);
