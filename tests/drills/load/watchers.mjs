// Guests who watch their bookings on sockets, and come again after the last event that they have seen.

import { setTimeout as pause } from "node:timers/promises";
import { socket } from "./socket.mjs";

const WATCH = `subscription ($after: String) { viewerBookingStatusChanged(after: $after) { cursor to booking { id } } }`;

export class Watcher {
  constructor(gateways, guest) {
    this.gateways = gateways;
    this.guest = guest;
    this.seen = [];
    /** What sockets were closed with. */
    this.closes = [];
    this.over = false;
    this.watching = this.#watch();
  }

  async #watch() {
    while (!this.over) {
      try {
        this.open = await socket(this.gateways.one().url, { headers: { "x-forwarded-for": this.guest.from } });
        const { say, next } = this.open;
        say({ type: "connection_init", payload: { Authorization: `Bearer ${this.guest.token}` } });
        const greeting = await next();
        if (greeting.type !== "connection_ack") throw new Error(JSON.stringify(greeting));
        const after = this.seen.at(-1) ?? this.guest.cursor;
        say({ id: "1", type: "subscribe", payload: { query: WATCH, variables: { after } } });
        for (;;) {
          const message = await next(Infinity);
          if (message.type === "ping") say({ type: "pong" });
          else if (message.type === "next" && message.payload.data) this.seen.push(message.payload.data.viewerBookingStatusChanged.cursor);
          // An event that could not be told comes again, after the last one that was.
          else if (message.type !== "pong") throw new Error(message.type === "error" ? "told to come again" : JSON.stringify(message));
        }
      } catch (error) {
        this.open?.end();
        if (this.over) return;
        this.closes.push([Date.now(), error.message]);
        await pause(300);
      }
    }
  }

  async end() {
    this.over = true;
    this.open?.end();
    await this.watching;
  }
}
