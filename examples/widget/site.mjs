/** A site with a chat on it, in Node: `node site.mjs`, then http://localhost:8000/. See README.md. */

import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";

const secret = process.env.CHAT_SECRET ?? "a secret of this demo, 32 bytes or more";
const page = readFileSync(new URL("index.html", import.meta.url));

/** Say to the chat who somebody is, for ten minutes (RFC 7519, HS256). */
export function token(user, name) {
  const claims = { iss: "http://localhost:8000", sub: user, name, exp: Math.floor(Date.now() / 1000) + 600 };
  const signed = [{ alg: "HS256" }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url")).join(".");
  return `${signed}.${createHmac("sha256", secret).update(signed).digest("base64url")}`;
}

if (process.argv[2] === "token") {
  console.log(token("42", "Aiko"));
} else {
  createServer((request, response) => {
    const asked = new URL(request.url, "http://localhost").pathname;
    response.setHeader("Cache-Control", "no-store");
    response.setHeader("Content-Type", asked === "/chat-token" ? "text/plain" : "text/html; charset=utf-8");
    response.end(asked === "/chat-token" ? token("42", "Aiko") : page); // a real site looks up its own session here
  }).listen(8000, "127.0.0.1");
}
