/** What each section asks for, and how a line of it is read. Decided here: a table for all sections; none knows another. */

import { clockless } from "./times.js";
import { ofRoom } from "./ask.js";
import { t } from "../js/words.js";

/**
 * @typedef {{key: string, cells: any[], end?: {path: string, words: string, name: string}}} Row
 * @typedef {{path: string, list: string, next: "after" | "before" | "", place: (row: any) => string, heads: string[], row: (row: any) => Row}} List
 */

/** @param {{id: string, name: string} | null | undefined} person */
const called = (person) => (person ? (person.name === person.id ? person.id : `${person.name} (${person.id})`) : "");

/** @type {Record<string, List>} */
export const LISTS = {
  rooms: {
    path: "/v1/admin/rooms", list: "rooms", next: "after", place: (row) => row.room,
    heads: ["room", "title", "access", "events", "members", "bans"],
    row: (row) => ({ key: row.room, cells: [{ room: row.room }, row.title, t(`access ${row.access}`), { n: row.last }, { n: row.members }, { n: row.bans }] }),
  },
  people: {
    path: "/v1/admin/people", list: "members", next: "after", place: (row) => `${row.room}/${row.member.user.id}`,
    heads: ["person", "room", "role", "since"],
    row: ({ room, member }) => ({ key: `${room}/${member.user.id}`, cells: [called(member.user), { room }, t(`role ${member.role}`), clockless(member.since)] }),
  },
  bans: {
    path: "/v1/admin/bans", list: "bans", next: "after", place: (row) => `${row.room}/${row.ban.user.id}`,
    heads: ["person", "room", "by", "until", "reason"],
    row: ({ room, ban }) => ({
      key: `${room}/${ban.user.id}`, cells: [called(ban.user), { room }, called(ban.by), ban.until ? clockless(ban.until) : t("forEver"), ban.reason],
      end: { path: `${ofRoom(room)}/bans/${encodeURIComponent(ban.user.id)}`, words: "lift", name: called(ban.user) } }),
  },
  keys: {
    path: "/v1/admin/keys", list: "keys", next: "", place: () => "", heads: ["keyName", "id", "rooms", "may", "since"],
    row: (key) => ({
      key: key.id, cells: [key.name, { code: key.id }, key.rooms ? key.rooms.join(", ") : t("allRooms"), t(key.read_only ? "mayRead" : "mayWrite"), clockless(key.created)],
      end: { path: `/v1/admin/keys/${encodeURIComponent(key.id)}`, words: "revoke", name: key.name } }),
  },
  hooks: {
    path: "/v1/admin/hooks", list: "hooks", next: "after", place: (row) => `${row.room}/${row.id}`, heads: ["hookName", "room", "kind", "address", "failures"],
    row: (hook) => ({
      key: hook.id, cells: [hook.name, { room: hook.room }, t(`kind ${hook.kind}`), hook.url ?? "", hook.failures === undefined ? "" : { n: hook.failures }],
      end: { path: `${ofRoom(hook.room)}/hooks/${encodeURIComponent(hook.id)}`, words: "remove", name: hook.name } }),
  },
  invites: {
    path: "/v1/admin/invites", list: "invites", next: "after", place: (row) => row.code, heads: ["code", "room", "role", "by", "until", "uses"],
    row: (one) => ({
      key: one.code, cells: [{ code: one.code }, { room: one.room }, t(`role ${one.role}`), called(one.by), clockless(one.expires), one.uses === null ? t("anyNumber") : { n: one.uses }],
      end: { path: `${ofRoom(one.room)}/invites/${encodeURIComponent(one.code)}`, words: "revoke", name: one.code } }),
  },
  audit: {
    path: "/v1/admin/audit", list: "entries", next: "before", place: (row) => row.id, heads: ["when", "room", "by", "did", "person", "note"],
    row: (line) => ({ key: line.id, cells: [clockless(line.time), line.room === null ? t("server") : { room: line.room }, called(line.by), { code: line.did }, called(line.user), line.note] }),
  },
  settings: {
    path: "/v1/admin/settings", list: "settings", next: "", place: () => "", heads: ["setting", "value", "meaning"],
    row: (one) => ({ key: one.name, cells: [{ code: one.name }, one.default ? one.value : { strong: one.value }, { english: one.help }] }),
  },
};
