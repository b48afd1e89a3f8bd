// The browser that is tested with: the one that CHROMIUM names, or the first one in PATH.

import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { chromium } from "playwright-core";

function findChromium() {
  if (process.env.CHROMIUM) {
    return process.env.CHROMIUM;
  }
  const names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
  const found = (process.env.PATH ?? "")
    .split(delimiter)
    .flatMap((folder) => names.map((name) => join(folder, name)))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
  if (!found) {
    console.error("no Chromium in PATH; set CHROMIUM to one");
    process.exit(2);
  }
  return found;
}

/** A browser that finds no other host than these. */
export const launch = (...hosts) =>
  chromium.launch({
    executablePath: findChromium(),
    args: [
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      `--host-resolver-rules=${["MAP * ~NOTFOUND", ...hosts.map((host) => `EXCLUDE ${host}`)].join(", ")}`,
    ],
  });

/** What the pages of a context complain of in the console, and what they ask of others than this server, from now on. */
export function overhear(context, server) {
  const complaints = [];
  const strangers = [];
  const ask = (url) => {
    const { protocol, host } = new URL(url);
    if (!["data:", "blob:"].includes(protocol) && host !== server.host) {
      strangers.push(url);
    }
  };
  context.on("console", (message) => {
    if (message.type() === "error") {
      complaints.push(`${message.text()} (${message.location().url})`);
    }
  });
  context.on("weberror", (error) => complaints.push(String(error.error())));
  context.on("request", (request) => ask(request.url()));
  context.on("page", (page) => page.on("websocket", (socket) => ask(socket.url())));
  return { complaints, strangers };
}
