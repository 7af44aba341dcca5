/**
 * Shows calls of a closed page. Decided here: it keeps no files and answers no request, so that an upgrade is never in its
 * way; and the words of a notification are those of the message, so that it needs no language.
 */

/** @typedef {{room: string, title: string, offset: number, author: string, text: string, count: number, mention: boolean}} Call */

const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));

/** The address of a message. @param {Call} call */
const addressOf = ({ room, offset }) => `/r/${encodeURIComponent(room)}${offset ? `#${offset}` : ""}`;

/** Whether a window shows a room. @param {Client} client @param {string} room */
const shows = (client, room) => new URL(client.url).pathname === `/r/${encodeURIComponent(room)}`;

const windows = () => worker.clients.matchAll({ type: "window", includeUncontrolled: true });

/** @param {PushMessageData | null} data @returns {Call} */
function read(data) {
  const nothing = { room: "lobby", title: "Kodama", offset: 0, author: "Kodama", text: "", count: 1, mention: false };
  try {
    return { ...nothing, ...data?.json() };
  } catch {
    return nothing;
  }
}

/** @param {Call} call */
async function show(call) {
  const looking = (await windows()).some((client) => client.focused && shows(client, call.room));
  if (looking && call.offset) return;
  const more = call.count > 1 ? ` (+${call.count - 1})` : "";
  await worker.registration.showNotification(`${call.author} · ${call.title}${more}`, /** @type {NotificationOptions} */ ({
    body: call.text, tag: `room ${call.room}`, renotify: true, icon: "/static/icon-192.png", data: call,
  }));
}

/** @param {Call} call */
async function open(call) {
  const address = addressOf(call);
  const open = await windows();
  const there = open.find((client) => shows(client, call.room)) ?? open[0];
  if (there) {
    const moved = await there.navigate(address).catch(() => null);
    if (moved) return void (await moved.focus());
  }
  await worker.clients.openWindow(address);
}

worker.addEventListener("install", () => void worker.skipWaiting());
worker.addEventListener("activate", (event) => event.waitUntil(worker.clients.claim()));
worker.addEventListener("push", (event) => event.waitUntil(show(read(event.data))));
worker.addEventListener("notificationclick", (event) => {
  event.notification.close();
  event.waitUntil(open(event.notification.data));
});
