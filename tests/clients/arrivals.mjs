// What a client's subscription calls back with, to be asked for one at a time.

import { EventEmitter, on } from "node:events";
import { inTime } from "./client.mjs";

/** Begins a subscription whose callbacks are `next` and `error`. Nothing that arrives is lost before it is asked for. */
export function arrivals(subscribe) {
  const news = new EventEmitter();
  const arrived = on(news, "news");
  const stop = subscribe({
    next: (result) => news.emit("news", result),
    error: (error) => news.emit("error", error),
  });
  return {
    next: async (what) => (await inTime(what, arrived.next())).value[0],
    stop,
  };
}
