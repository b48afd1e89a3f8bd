// What clients see while gateways behind a proxy are restarted:
//
//     node rolling_restart.mjs <base URL> <file with the certificate to trust> <least number of requests> <file whose presence ends it>
//
// First what the proxy has to let through, then load by HTTP/1.1 and HTTP/2 (queries, a write, plain resources) beside sockets and streams
// that stay open. A gateway that stops closes those; they have to find another one at the first try.
// Exits with 0 only if nothing failed.

import { existsSync, readFileSync } from "node:fs";
import http2 from "node:http2";
import https from "node:https";
import { setTimeout as pause } from "node:timers/promises";
import { check, expect, finish, same } from "../checks.mjs";
import { socket } from "./load/socket.mjs";

const [base, authority, least, done] = process.argv.slice(2);
const ca = readFileSync(authority);
const CONNECTIONS = 8;
const STREAMS = 5;
const HOME = "UHJvcGVydHk6MQ";

/** One request over HTTP/1.1. */
function ask(path, { body, headers, ...options } = {}) {
  return new Promise((resolve, reject) => {
    const request = https.request(
      new URL(path, base),
      {
        ca,
        timeout: 20_000,
        method: body ? "POST" : "GET",
        headers: { ...(body && { "content-type": "application/json" }), ...headers },
        ...options,
      },
      (response) => {
        let text = "";
        response.setEncoding("utf8");
        response.on("data", (part) => (text += part));
        response.on("end", () => resolve({ status: response.statusCode, text }));
        response.on("error", reject);
      },
    );
    request.on("timeout", () => request.destroy(new Error("no answer in 20 seconds")));
    request.on("error", reject);
    request.end(body && JSON.stringify(body));
  });
}

/** The data of an operation. */
async function graphql(query, { variables, token, ...options } = {}) {
  const headers = { ...options.headers, ...(token && { authorization: `Bearer ${token}` }) };
  const { status, text } = await ask("/graphql", { body: { query, variables }, ...options, headers });
  expect(status === 200, `${status}: ${text}`);
  const { data, errors } = JSON.parse(text);
  expect(!errors, errors);
  return data;
}

const SIGN_IN = `mutation { signIn(input: { email: "guest@example.com", password: "demo-password" }) {
  accessToken viewer { sessions { current ipAddress } } } }`;

/** A session over HTTP/2. */
async function connect() {
  const session = http2.connect(base, { ca });
  await new Promise((resolve, reject) => session.once("connect", resolve).once("error", reject));
  session.on("error", () => {});
  return session;
}

/** One request over HTTP/2. */
function askOver(session, path, body, token) {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ":path": path,
      ":method": body ? "POST" : "GET",
      ...(body && { "content-type": "application/json" }),
      ...(token && { authorization: `Bearer ${token}` }),
    });
    let status;
    let text = "";
    stream.setEncoding("utf8");
    stream.setTimeout(20_000, () => stream.destroy(new Error("no answer in 20 seconds")));
    stream.on("response", (headers) => (status = headers[":status"]));
    stream.on("data", (part) => (text += part));
    stream.on("end", () => resolve({ status, text }));
    stream.on("error", reject);
    stream.end(body && JSON.stringify(body));
  });
}

/** A socket that has been let in. */
async function greeted() {
  const opened = await socket(base, { ca });
  opened.say({ type: "connection_init" });
  same("the greeting", (await opened.next()).type, "connection_ack");
  return opened;
}

/** A stream of events about the nights of a home. */
function events() {
  return new Promise((resolve, reject) => {
    const query = `subscription { availabilityChanged(propertyId: "${HOME}") { date available } }`;
    const request = https.request(
      new URL("/graphql", base),
      { ca, method: "POST", headers: { "content-type": "application/json", accept: "text/event-stream" } },
      (response) => {
        if (response.statusCode !== 200) {
          reject(new Error(`the stream got ${response.statusCode}`));
          return;
        }
        let first;
        const event = new Promise((got) => (first = got));
        response.setEncoding("utf8");
        response.on("data", (part) => part.includes("event: next") && first(part));
        response.on("error", () => {});
        const closed = new Promise((end) => response.on("close", end));
        resolve({ event, closed, end: () => request.destroy() });
      },
    );
    request.on("error", reject);
    request.end(JSON.stringify({ query }));
  });
}

let token;

await check("HTTPS by HTTP/1.1, and an address of one's own invention is not believed", async () => {
  const agent = new https.Agent({ ca });
  // Not the address that the gateways know their proxy by.
  const options = { agent, localAddress: "127.0.0.2", headers: { "x-forwarded-for": "203.0.113.9" } };
  const { signIn } = await graphql(SIGN_IN, options);
  token = signIn.accessToken;
  same("the address", signIn.viewer.sessions.find(({ current }) => current).ipAddress, "127.0.0.2");
  agent.destroy();
});

await check("HTTP/2", async () => {
  const session = await connect();
  same("the protocol", session.alpnProtocol, "h2");
  const { status, text } = await askOver(session, "/graphql", { query: "{ __typename }" });
  same("the answer", [status, JSON.parse(text).data], [200, { __typename: "Query" }]);
  session.close();
});

await check("a socket answers", async () => {
  const opened = await greeted();
  opened.say({ id: "1", type: "subscribe", payload: { query: "{ __typename }" } });
  same("the answer", (await opened.next()).payload, { data: { __typename: "Query" } });
  opened.end();
});

await check("an event comes through while its stream is open", async () => {
  const stream = await events();
  // The subscription begins after the head of its answer was sent.
  await pause(500);
  const book = `mutation { createBooking(input: { propertyId: "${HOME}", checkIn: "2027-03-01", checkOut: "2027-03-03" }) {
    booking { id } userErrors { message } } }`;
  const { createBooking } = await graphql(book, { token });
  same("mistakes", createBooking.userErrors, []);
  const first = await Promise.race([stream.event, pause(5000, "nothing in 5 seconds")]);
  expect(first.includes("2027-03-01"), first);
  stream.end();
});

// What is asked for in turn: the writes are one in eight.
const SEARCH = `query ($words: String) { properties(filter: { location: $words }, first: 3) { nodes { id title } } }`;
const WRITE = `mutation ($name: String) { updateProfile(input: { fullName: $name }) { viewer { user { fullName } } userErrors { code } } }`;
const KINDS = [
  (n) => ["/graphql", { query: SEARCH, variables: { words: ["lisbon", "porto", "kyoto"][n % 3] } }, false, '"nodes"'],
  () => ["/api/v1/properties/1/", undefined, false, '"title"'],
  () => ["/graphql", { query: "{ viewer { email bookings(first: 2) { nodes { id status } } } }" }, true, '"nodes"'],
  (n) => ["/graphql", { query: SEARCH, variables: { words: `nowhere ${n}` } }, false, '"nodes"'],
  () => ["/livez", undefined, false, "ok"],
  () => ["/graphql", { query: `{ property(id: "${HOME}") { title averageRating } }` }, false, '"title"'],
  (n) => ["/graphql", { query: WRITE, variables: { name: `Guest ${n}` } }, true, '"userErrors":[]'],
  () => ["/api/v1/properties/", undefined, false, '"title"'],
];

let sent = 0;
const failures = new Map();
const took = [];
const count = (what) => failures.set(what, (failures.get(what) ?? 0) + 1);
const going = () => sent < least || !existsSync(done);

async function one(send) {
  const n = sent++;
  const [path, body, signedIn, wanted] = KINDS[n % KINDS.length](n);
  const begin = performance.now();
  try {
    const { status, text } = await send(path, body, signedIn ? token : undefined);
    if (status !== 200) count(`${body ? "POST" : "GET"} ${path}: ${status} ${text.slice(0, 100)}`);
    else if (!text.includes(wanted)) count(`${path}: 200 without ${wanted}: ${text.slice(0, 200)}`);
  } catch (error) {
    count(`${body ? "POST" : "GET"} ${path}: ${error.code ?? error.message}`);
  }
  took.push(performance.now() - begin);
}

async function overOne() {
  const agent = new https.Agent({ ca, keepAlive: true, maxSockets: 1 });
  while (going()) {
    await one((path, body, token) =>
      ask(path, { agent, body, headers: token && { authorization: `Bearer ${token}` } }),
    );
  }
  agent.destroy();
}

async function overTwo() {
  let session = await connect();
  const lane = async () => {
    while (going()) {
      if (session.closed || session.destroyed) {
        count("the proxy closed a connection");
        session = await connect();
      }
      await one((path, body, token) => askOver(session, path, body, token));
    }
  };
  await Promise.all([lane(), lane()]);
  session.close();
}

const ends = new Map();
let over = false;

/** Keeps one open, and counts how those end that were open. */
async function keep(what, open, say) {
  while (!over) {
    try {
      const opened = await open();
      const finished = Promise.race([opened.closed, new Promise((end) => stops.push(end))]);
      const why = await finished;
      if (over) opened.end();
      else ends.set(say(why), (ends.get(say(why)) ?? 0) + 1);
    } catch (error) {
      count(`${what}: ${error.code ?? error.message}`);
      await pause(100);
    }
  }
}

const stops = [];
// An access token is good for five minutes.
const renewing = setInterval(async () => (token = (await graphql(SIGN_IN)).signIn.accessToken), 120_000);

await check("nothing fails while the gateways are restarted", async () => {
  const kept = Array.from({ length: STREAMS }, () => [
    keep("a socket", greeted, (code) => `sockets closed with ${code}`),
    keep("a stream", events, () => "streams ended"),
  ]).flat();
  const begin = performance.now();
  await Promise.all(Array.from({ length: CONNECTIONS }, () => [overOne(), overTwo()]).flat());
  const seconds = (performance.now() - begin) / 1000;
  over = true;
  for (const stop of stops) stop();
  await Promise.all(kept);
  took.sort((one, other) => one - other);
  const at = (share) => `${Math.round(took[Math.floor((took.length - 1) * share)])} ms`;
  const failed = [...failures.values()].reduce((sum, many) => sum + many, 0);
  console.log(`${sent} requests in ${Math.round(seconds)} s, ${failed} failed`);
  console.log(`half of them within ${at(0.5)}, 99 % within ${at(0.99)}, all within ${at(1)}`);
  for (const [what, many] of ends) console.log(`${many} ${what}`);
  expect(failed === 0, Object.fromEntries(failures));
});

clearInterval(renewing);
finish();
