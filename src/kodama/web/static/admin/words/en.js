/** The words of the console in English, beside those of the page. Decided here: what every other catalogue must have, key by key. */

/** @type {Record<string, string | {one: string, other: string}>} */
export const WORDS = {
  console: "The owner's console", enterConsole: "Enter", doorHint: "The console is for whoever owns this server.",
  stranger: "{name}, you do not own this server.", ownerHint: "Whoever may run programs on it makes a link that makes an owner:",
  linkUsed: "This link is not valid, or was used already.", asking: "Asking the server…", toChat: "To the chat", sections: "Sections", skipNav: "Skip to the content",
  "section live": "Live", "section rooms": "Rooms", "section people": "People", "section bans": "Bans", "section keys": "API keys",
  "section hooks": "Webhooks", "section invites": "Invitations", "section audit": "Audit log", "section settings": "Settings",
  liveHint: "This node while you look, for up to five minutes, every two seconds.",
  chartWaiting: "Waiting clients", chartDeliveries: "Deliveries", chartLatency: "Latency, 99 % faster than", chartLag: "Events a reader is behind", chartMemory: "Memory", chartHere: "Connections and people",
  longpoll: "long poll", legacy: "2011 contract", sse: "server-sent events", ndjson: "NDJSON", text: "text", websocket: "WebSocket",
  deliveries: "deliveries", published: "events", refused: "refusals", publish99: "until durable", delivery99: "until the last reader", loop99: "event loop",
  lag50: "half of the answers", lag99: "99 % of the answers", memory: "in memory", connections: "connections", here: "people", guests: "guests without a name", aSecond: "{value}/s",
  room: "Room", title: "Title", access: "Access", events: "Events", members: "Members", bans: "Bans", person: "Person", role: "Role", since: "Since", by: "By", until: "Until", reason: "Reason",
  keyName: "Name", id: "Id", rooms: "Rooms", may: "May", hookName: "Name", kind: "Kind", address: "Address", failures: "Failures", code: "Code", uses: "Uses left", when: "When", did: "Deed", note: "Note",
  setting: "Setting", value: "Value", meaning: "Meaning", action: "Action",
  "access public": "public", "access members": "members", "access secret": "secret", "role owner": "owner", "role moderator": "moderator", "role member": "member",
  "kind incoming": "incoming", "kind outgoing": "outgoing",
  forEver: "for ever", allRooms: "all public ones", mayRead: "read", mayWrite: "read and write", anyNumber: "any number", server: "the server",
  lift: "Let back in", revoke: "Revoke", remove: "Remove", sure: "Really?", done: "Done.", nothing: "There is nothing here.", more: "Show more",
  roomsCount: { one: "{n} room", other: "{n} rooms" }, directCount: { one: "besides {n} of two people", other: "besides {n} of two people" }, owners: "The server's owners", ownersHint: "They are an owner in every room. Another one is made by the link of", disown: "Owner no longer",
  settingsHint: "What this node was started with. What is not the default is in bold; change it where the server is started.",
  makeKey: "Make a key", make: "Make it", keyRooms: "Rooms", keyRoomsHint: "All that the key opens, with spaces between; none named: all public rooms.",
  tokenHint: "Copy the key now. It is not shown again.", copy: "Copy",
};
