// Requests to gateways as they come through a balancer: to one that says that it is ready, and to the next where nobody listens. Everything is counted.

import http from "node:http";
import { setTimeout as pause } from "node:timers/promises";

/** How often it is looked whether a gateway is ready, in milliseconds. */
const LOOK_EVERY = 200;
/** After this many milliseconds a request that got no answer counts as hung: a gateway answers within 10 seconds, whatever happens. */
const PATIENCE = 15_000;

export class Gateways {
  /** `heard` is told of each request that the load made. */
  constructor(urls, heard) {
    this.heard = heard;
    this.turn = 0;
    this.all = urls.map((url) => ({ url, ready: true, agent: new http.Agent({ keepAlive: true }) }));
    this.looking = setInterval(() => this.all.forEach((one) => this.#look(one)), LOOK_EVERY);
  }

  end() {
    clearInterval(this.looking);
    for (const { agent } of this.all) agent.destroy();
  }

  async #look(one) {
    one.ready = await sent(one.url, "/readyz", { timeout: 2000 }).then(
      ({ status }) => status === 200,
      () => false,
    );
  }

  /** One of those that are ready, or of all where none is. */
  one() {
    const ready = this.all.filter((one) => one.ready);
    const among = ready.length ? ready : this.all;
    return among[this.turn++ % among.length];
  }

  /** A request. `kind` is what it is counted as; without it is not. Gives the status (0 where there was none) and the answer. */
  async ask(kind, path, { only, ...request } = {}) {
    const began = Date.now();
    const gateway = only ?? this.one();
    const others = only ? [] : this.all.filter((one) => one !== gateway);
    let answer;
    for (const one of [gateway, ...others]) {
      answer = await sent(one.url, path, { agent: one.agent, timeout: PATIENCE, ...request }).catch(failed);
      if (answer.outcome !== "refused") break;
    }
    answer.outcome ??= outcomeOf(answer);
    const took = Date.now() - began;
    if (kind) this.heard({ kind, began, took, outcome: answer.outcome, says: answer.text?.slice(0, 200) });
    return { ...answer, began, took };
  }

  /** An operation of GraphQL. */
  async graphql(kind, query, { variables, ...options } = {}) {
    const answer = await this.ask(kind, "/graphql", { ...options, body: { query, variables } });
    return { ...answer, data: answer.json?.data };
  }
}

/** How one request went: all but `ok`, `away` and `limited` is not to be. */
function outcomeOf({ status, headers, text }) {
  const comes = headers["retry-after"] !== undefined;
  if (status === 503) return comes ? "away" : "away, and not until when";
  if (status === 429) return comes ? "limited" : "limited, and not until when";
  if (status >= 500) return "broken";
  // Of cards that are being tried, by who has many in hand: said in the answer alone.
  if (text.includes('"code":"RATE_LIMITED"')) return "limited";
  // A part of an answer that could not be had.
  if (status === 200 && text.includes('"code":"INTERNAL"')) return text.includes('"retryAfter"') ? "in part" : "broken";
  return "ok";
}

function failed(error) {
  const outcome = error.code === "ECONNREFUSED" ? "refused" : error.code === "HUNG" ? "hung" : "reset";
  return { status: 0, headers: {}, outcome, text: error.message };
}

function sent(base, path, { agent, body, token, from, headers, method, timeout }) {
  return new Promise((resolve, reject) => {
    const request = http.request(
      new URL(path, base),
      {
        agent: agent ?? false,
        method: method ?? (body ? "POST" : "GET"),
        headers: {
          ...(body && { "content-type": "application/json" }),
          ...(token && { authorization: `Bearer ${token}` }),
          ...(from && { "x-forwarded-for": from }),
          ...headers,
        },
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part) => (text += part));
        response.on("error", reject);
        response.on("end", () => {
          clearTimeout(timer);
          let json;
          if (/json/.test(response.headers["content-type"] ?? "")) json = JSON.parse(text);
          resolve({ status: response.statusCode, headers: response.headers, text, json });
        });
      },
    );
    const timer = setTimeout(() => request.destroy(Object.assign(new Error("no answer"), { code: "HUNG" })), timeout);
    request.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    request.end(body && JSON.stringify(body));
  });
}

/** For how long a client waits before it sends something again: as long as it was told to, or half a second where nobody answered. */
export function politely({ headers, json }) {
  const told = headers["retry-after"] ?? json?.errors?.[0].extensions?.retryAfter;
  return pause(told ? Number(told) * 1000 : 500);
}
