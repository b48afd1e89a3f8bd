// What clients of a GraphQL API commonly have: `fetch` for requests, graphql-ws for subscriptions.

import { EventEmitter } from "node:events";
import { createClient } from "graphql-ws";
import WebSocket from "ws";

/** Milliseconds after which what has not come is missing. */
export const PATIENCE = 10_000;

// ---------------------------------------------------------------- requests

export const graphql = (base) => new URL("/graphql", base).href;

/** What a promise gives, which must come in time. */
export async function inTime(what, promise, patience = PATIENCE) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not come within ${patience} ms`)), patience);
  });
  return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

/** Posts a body as it is. Gives the status, the media type and the answer. */
export async function send(base, body, token) {
  const response = await fetch(graphql(base), {
    method: "POST",
    headers: {
      "content-type": "application/json",
      accept: "application/graphql-response+json",
      ...(token && { authorization: `Bearer ${token}` }),
    },
    body,
    signal: AbortSignal.timeout(PATIENCE),
  });
  const text = await response.text();
  try {
    return { status: response.status, media: response.headers.get("content-type"), answer: JSON.parse(text) };
  } catch {
    throw new Error(`${body}\nwas answered with ${response.status} and no JSON: ${text}`);
  }
}

/** The data of an operation that must run without an error. */
export async function ask(base, query, variables, token) {
  const { status, answer } = await send(base, JSON.stringify({ query, variables }), token);
  if (status !== 200 || answer.errors) {
    throw new Error(
      `${query.trim()}\nwith ${JSON.stringify(variables)}\nwas answered with ${status}: ${JSON.stringify(answer)}`,
    );
  }
  return answer.data;
}

/** The status and the codes of an operation that must be refused, with nothing done or told. */
export async function refusal(base, query, variables, token) {
  return refusalOf(JSON.stringify({ query, variables }), base, token);
}

export async function refusalOf(body, base, token) {
  const { status, answer } = await send(base, body, token);
  const told = Object.values(answer.data ?? {}).some((value) => value !== null);
  if (!answer.errors?.length || told) {
    throw new Error(`${body}\nshould be refused, and was answered with ${status}: ${JSON.stringify(answer)}`);
  }
  return { status, codes: answer.errors.map(({ extensions }) => extensions?.code) };
}

// ---------------------------------------------------------------- subscriptions

/** A client of graphql-ws that connects when it is first needed, and once. */
export function socket(base, token) {
  return createClient({
    url: graphql(base).replace(/^http/, "ws"),
    webSocketImpl: WebSocket,
    retryAttempts: 0,
    connectionParams: token && { authorization: `Bearer ${token}` },
  });
}

/** One subscription on a socket of its own. What arrives waits here until it is asked for. */
export class Watch {
  #news = new EventEmitter();
  #arrived = [];
  #end = null;
  #client;

  constructor(base, query, variables, token) {
    this.#client = socket(base, token);
    const end = (error) => {
      this.#end ??= endOf(error);
      this.#news.emit("news");
    };
    this.#client.subscribe(
      { query, variables },
      {
        next: ({ data, errors }) => {
          if (errors) {
            end(errors);
          } else {
            this.#arrived.push(Object.values(data)[0]);
            this.#news.emit("news");
          }
        },
        error: end,
        complete: () => end(new Error("the server completed the subscription")),
      },
    );
  }

  /** The next event, whichever it is. */
  async next(what, patience = PATIENCE) {
    await this.#until(() => this.#arrived.length > 0 || this.#end, what, patience);
    if (this.#arrived.length === 0) {
      throw new Error(`${what} is missing: ${this.#end.why}`);
    }
    return this.#arrived.shift();
  }

  /** The first event that is wanted; those before it are passed over. */
  async find(what, wanted, patience = PATIENCE) {
    const deadline = Date.now() + patience;
    for (;;) {
      const event = await this.next(what, Math.max(deadline - Date.now(), 0));
      if (wanted(event)) {
        return event;
      }
    }
  }

  /** How the server ended it: with which error codes, or by closing the socket with which code. */
  async refusal(what) {
    await this.#until(() => this.#end, what, PATIENCE);
    const { codes, close } = this.#end;
    return codes.length > 0 ? { codes } : { close };
  }

  /** Nothing has arrived that nobody asked for. */
  get quiet() {
    return this.#arrived.length === 0 && !this.#end;
  }

  async stop() {
    await this.#client.dispose();
  }

  async #until(done, what, patience) {
    let timer;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`${what} did not come within ${patience} ms`)), patience);
    });
    try {
      while (!done()) {
        await Promise.race([new Promise((resolve) => this.#news.once("news", resolve)), late]);
      }
    } finally {
      clearTimeout(timer);
      this.#news.removeAllListeners();
    }
  }
}

/** Errors of GraphQL come as a list; a closed socket as its event; anything else as an error of its own. */
function endOf(error) {
  if (Array.isArray(error)) {
    const codes = error.map(({ extensions }) => extensions?.code);
    return { codes, why: `the subscription was refused: ${JSON.stringify(error)}` };
  }
  if (typeof error?.code === "number") {
    return { codes: [], close: error.code, why: `the socket was closed: ${error.code} ${error.reason}` };
  }
  return { codes: [], why: error?.message ?? String(error) };
}
