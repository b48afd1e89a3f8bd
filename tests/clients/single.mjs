// Runs all that an application asks for over one stream of server-sent events, with graphql-sse in its single connection mode: moves
// are made on one server, the stream comes from another one on the same data (or from the same server), both running on demo data:
//
//     node single.mjs <base URL> <base URL of the stream>
//
// Exits with 0 only if all held.

import { createClient } from "graphql-sse";
import { randomUUID } from "node:crypto";
import { check, expect, finish, same } from "../checks.mjs";
import { PATIENCE, graphql, inTime } from "./client.mjs";
import { b, book, change, pay, signUp } from "./moves.mjs";
import * as operations from "./operations.mjs";
import { wire } from "./wire.mjs";

// ---------------------------------------------------------------- the application

const guest = await signUp("GUEST");
const { sent, settled, fetch: through } = wire();
const messages = [];
const client = createClient({
  url: graphql(b),
  singleConnection: true,
  // The stream stays when nothing runs on it.
  lazy: false,
  retryAttempts: 0,
  headers: { authorization: `Bearer ${guest.token}` },
  fetchFn: through,
  on: { message: ({ data }) => messages.push(data) },
  onNonLazyError: (error) => console.log(`the stream ended: ${error.message}`),
});

const run = (query, variables = {}) => client.iterate({ query, variables });

async function next(results, what) {
  const { done, value } = await inTime(what, results.next());
  expect(!done, `the operation ended before ${what}`);
  return value;
}

/** The one result of an operation that then ends. */
async function only(results, what) {
  const { data, errors } = await next(results, what);
  expect(!errors, errors);
  same("the end", (await inTime(`the end of ${what}`, results.next())).done, true);
  return data;
}

async function hears(results, booking, from, to) {
  const { data, errors } = await next(results, `${from} → ${to}`);
  expect(!errors, errors);
  const event = data.bookingStatusChanged;
  same("the next event", [event.booking.id, event.from, event.to], [booking.id, from, to]);
}

const watch = ({ id, events }) =>
  run(operations.BOOKING_STATUS_CHANGED, { bookingId: id, after: events.at(-1).cursor });
const cancel = ({ id }) => change(operations.CANCEL_BOOKING, { id }, guest);

// ---------------------------------------------------------------- operations

await check("a query gives one result and completes", async () => {
  same("the viewer", (await only(run(operations.VIEWER), "the viewer")).viewer.email, guest.email);
});

await check("a mutation is done once", async () => {
  const rename = 'mutation { updateProfile(input: { fullName: "Somebody Else" }) { viewer { user { fullName } } } }';
  const { updateProfile } = await only(run(rename), "the new name");
  same("the name", updateProfile.viewer.user.fullName, "Somebody Else");
  same("what was posted", sent.filter(({ method }) => method === "POST").length, 2);
});

await check("an operation that can't be run ends with the answer to its own request", async () => {
  const error = await run("{ nothing }").next().then(
    ({ value }) => expect(false, `it was run: ${JSON.stringify(value)}`),
    (error) => error,
  );
  expect(error.response && error.response.status !== 202, `it ended with ${error.message}`);
});

let one;
let other;
let watchOne;
let watchOther;
await check("two bookings are watched at once, and a query runs beside them", async () => {
  one = await book(guest);
  other = await book(guest);
  watchOne = watch(one);
  watchOther = watch(other);
  await pay(other, guest);
  await hears(watchOther, other, "PENDING", "CONFIRMED");
  await pay(one, guest);
  same("the viewer", (await only(run(operations.VIEWER), "the viewer")).viewer.email, guest.email);
  await hears(watchOne, one, "PENDING", "CONFIRMED");
});

await check("who completes one goes on hearing of the other", async () => {
  await watchOne.return();
  // The client waits for no answer when it completes an operation.
  await only(run(operations.VIEWER), "the viewer");
  await settled();
  await cancel(one);
  await cancel(other);
  await hears(watchOther, other, "CONFIRMED", "CANCELLED");
  const told = messages.filter(({ payload }) => payload?.data?.bookingStatusChanged?.booking.id === one.id);
  same("what was told of the first", told.map(({ payload }) => payload.data.bookingStatusChanged.to), ["CONFIRMED"]);
  const completed = sent.filter(({ method }) => method === "DELETE");
  same("what was completed", completed.map(({ status }) => status), [200]);
});

await check("all that went over one stream", () => {
  const others = sent.filter(({ method }) => method === "PUT" || method === "GET");
  same("the reservation and the stream", others.map(({ method, status }) => [method, status]), [["PUT", 201], ["GET", 200]]);
});

client.dispose();

// ---------------------------------------------------------------- streams and their tokens

/** A request with a token of a stream, and with the guest's access token. */
function request(method, token, { search = "", body, accept = "*/*", signal } = {}) {
  const url = new URL(graphql(b));
  url.search = search;
  const patience = AbortSignal.timeout(PATIENCE);
  return fetch(url, {
    method,
    headers: {
      accept,
      authorization: `Bearer ${guest.token}`,
      ...(body && { "content-type": "application/json" }),
      ...(token && { "x-graphql-event-stream-token": token }),
    },
    body: body && JSON.stringify(body),
    signal: signal ? AbortSignal.any([signal, patience]) : patience,
  });
}

const open = (token, options) => request("GET", token, { accept: "text/event-stream", ...options });
const operation = (operationId) => ({ body: { query: operations.VIEWER, extensions: { operationId } } });

async function reserve() {
  const response = await request("PUT");
  same("the reservation's status", response.status, 201);
  return response.text();
}

await check("what was asked for before the stream is opened comes when it is", async () => {
  const token = await reserve();
  same("the status", (await request("POST", token, operation("early"))).status, 202);
  const closing = new AbortController();
  // As a browser's EventSource opens it, which can't send headers of its own.
  const stream = await open(undefined, { search: `?token=${encodeURIComponent(token)}`, signal: closing.signal });
  same("the stream", [stream.status, stream.headers.get("content-type")?.split(";")[0]], [200, "text/event-stream"]);
  let text = "";
  for await (const chunk of stream.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    if (text.includes("event: complete")) {
      break;
    }
  }
  const data = text.split("\n").filter((line) => line.startsWith("data:")).map((line) => JSON.parse(line.slice(5)));
  same("ids", data.map(({ id }) => id), ["early", "early"]);
  same("the viewer", data[0].payload.data.viewer.email, guest.email);
  closing.abort();
});

await check("a second stream with the same token is refused", async () => {
  const token = await reserve();
  const closing = new AbortController();
  same("the first", (await open(token, { signal: closing.signal })).status, 200);
  same("the second", (await open(token)).status, 409);
  closing.abort();
});

await check("an operation whose id is in use is refused", async () => {
  const token = await reserve();
  const booking = await book(guest);
  const watching = {
    body: {
      query: operations.BOOKING_STATUS_CHANGED,
      variables: { bookingId: booking.id },
      extensions: { operationId: "same" },
    },
  };
  same("the first", (await request("POST", token, watching)).status, 202);
  same("the second", (await request("POST", token, watching)).status, 409);
  same("the end of the first", (await request("DELETE", token, { search: "?operationId=same" })).status, 200);
  await cancel(booking);
});

await check("the answer to one that can't be run says why", async () => {
  const body = { query: "{ nothing }", extensions: { operationId: "wrong" } };
  const { errors } = await (await request("POST", await reserve(), { body })).json();
  same("codes", errors.map(({ extensions }) => extensions.code), ["BAD_USER_INPUT"]);
});

await check("an operation without an id is refused", async () => {
  same("the status", (await request("POST", await reserve(), { body: { query: operations.VIEWER } })).status, 400);
});

await check("a token that nobody was given is refused", async () => {
  const token = randomUUID();
  const answers = [
    await open(token),
    await request("POST", token, operation("lost")),
    await request("DELETE", token, { search: "?operationId=lost" }),
  ];
  const statuses = answers.map(({ status }) => status);
  expect(statuses.every((status) => status === 401 || status === 404), `the statuses are ${statuses}`);
});

finish();
