/**
 * What the console knows. Decided here: one list at a time is kept, of the section that is looked at; an answer that comes
 * for another section is dropped.
 *
 * @typedef {import("./numbers.js").Numbers} Numbers
 * @typedef {"live" | "rooms" | "people" | "bans" | "keys" | "hooks" | "invites" | "audit" | "settings"} Section
 * @typedef {{id: string, name: string}} Person
 * @typedef {{phase: "asking" | "door" | "stranger" | "open", me: Person | null, section: Section, rows: any[], facts: any,
 *   more: boolean, busy: boolean, looks: Numbers[], token: string, problem: string, note: string, sure: string}} State
 * @typedef {{do: "phase", phase: State["phase"], me?: Person | null}
 *   | {do: "section", section: Section}
 *   | {do: "busy"}
 *   | {do: "rows", section: Section, rows: any[], facts: any, more: boolean, on: boolean}
 *   | {do: "look", look: Numbers}
 *   | {do: "token", token: string}
 *   | {do: "problem", problem: string}
 *   | {do: "note", note: string}
 *   | {do: "sure", sure: string}} Action
 */

import { add } from "./numbers.js";

/** @type {Section[]} */
export const SECTIONS = ["live", "rooms", "people", "bans", "keys", "hooks", "invites", "audit", "settings"];

/** @param {string} hash @returns {Section} */
export const sectionOf = (hash) => SECTIONS.find((one) => `#${one}` === hash) ?? "live";

/** @param {Section} section @returns {State} */
export const start = (section) => ({
  phase: "asking", me: null, section, rows: [], facts: {}, more: false, busy: false, looks: [], token: "", problem: "", note: "", sure: "",
});

/** @param {State} state @param {Action} action @returns {State} */
export function reduce(state, action) {
  switch (action.do) {
    case "phase": return { ...state, phase: action.phase, me: action.me === undefined ? state.me : action.me, problem: "" };
    case "section": return { ...state, section: action.section, rows: [], facts: {}, more: false, busy: false, token: "", problem: "", note: "", sure: "" };
    case "busy": return { ...state, busy: true, problem: "" };
    case "rows": return action.section !== state.section ? state : {
      ...state, rows: action.on ? [...state.rows, ...action.rows] : action.rows, facts: action.facts, more: action.more, busy: false };
    case "look": return { ...state, looks: add(state.looks, action.look), problem: "" };
    case "token": return { ...state, token: action.token };
    case "problem": return { ...state, problem: action.problem, busy: false };
    case "note": return { ...state, note: action.note, sure: "" };
    case "sure": return { ...state, sure: action.sure };
    default: return state;
  }
}
