/** The published samples, for the tests of the client. */
import { readFileSync } from "node:fs";

const folder = new URL("../../../docs/spec/vectors/", import.meta.url);

/** @param {string} name */
export const vectors = (name) => JSON.parse(readFileSync(new URL(name, folder), "utf8"));
