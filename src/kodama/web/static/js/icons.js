/** The page's signs, drawn as strokes in the colour of the text. Decided here: each is decoration; its button has the name. */

import { html } from "./html.js";

const PATHS = {
  react: "M12 21a9 9 0 1 1 0-18 9 9 0 0 1 0 18ZM8.5 14.5c.8 1.2 2 2 3.5 2s2.7-.8 3.5-2M9 9.5v.01M15 9.5v.01",
  reply: "M9 7 4 12l5 5M4.5 12H14a6 6 0 0 1 6 6",
  edit: "M4 20h4L19 9l-4-4L4 16v4ZM13.5 6.5l4 4",
  delete: "M4 7h16M9 7V4h6v3M6 7l1 13h10l1-13M10 11v5M14 11v5",
  link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1.5 1.5M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1.5-1.5",
  rooms: "M4 6h16M4 12h16M4 18h10",
  people: "M9 11a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM3 20c0-3.5 2.5-6 6-6s6 2.5 6 6M16 4.5a3.5 3.5 0 0 1 0 6.5M17.5 14.5c2 .8 3.5 2.8 3.5 5.5",
  settings: "M4 7h9M17 7h3M4 17h3M11 17h9M15 9.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM9 19.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5Z",
  help: "M12 21a9 9 0 1 1 0-18 9 9 0 0 1 0 18ZM9.5 9.5a2.5 2.5 0 1 1 3.8 2.100c-.9.5-1.300 1-1.300 2.200M12 16.8v.01",
  date: "M5 6h14v14H5ZM5 10h14M9 3v5M15 3v5",
  send: "M5 12h13M12 5l7 7-7 7",
  search: "M11 18a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM16 16l5 5",
  attach: "M20 11.5 12.5 19a5 5 0 0 1-7-7l8-8a3.300 3.300 0 0 1 4.700 4.700l-8 8a1.600 1.600 0 0 1-2.300-2.300l7-7",
  file: "M7 3h7l5 5v13H7ZM14 3v5h5",
  plus: "M12 5v14M5 12h14",
  close: "M6 6l12 12M18 6 6 18",
  lock: "M6 11h12v9H6ZM8.5 11V8a3.500 3.500 0 0 1 7 0v3",
  order: "M12 3 5 6v5c0 4.500 3 8 7 10 4-2 7-5.500 7-10V6ZM9 12l2 2 4-4",
  person: "M12 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8ZM4 21c0-4 3.500-7 8-7s8 3 8 7",
  report: "M6 21V4h11l-2 4 2 4H6",
  down: "M12 5v14M5 12l7 7 7-7",
  copy: "M8 8h12v12H8ZM16 8V4H4v12h4",
};

/** @param {keyof typeof PATHS} name */
export const icon = (name) => html`<svg class="sign" viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false"><path d=${PATHS[name]} /></svg>`;
