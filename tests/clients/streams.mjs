// Watches bookings over server-sent events with graphql-sse: requests go to one server, streams to another one on the same
// data (or to the same server), both running on demo data:
//
//     node streams.mjs <base URL> <base URL of the streams>
//
// Exits with 0 only if all held.

import { createClient } from "graphql-sse";
import { check, expect, finish, same } from "../checks.mjs";
import { graphql, inTime } from "./client.mjs";
import { a, b, book, change, pay, signUp } from "./moves.mjs";
import * as operations from "./operations.mjs";

/** Runs an operation over a stream. Gives an iterator over its results. */
function run(query, variables, token, lastEventId) {
  const client = createClient({
    url: graphql(b),
    retryAttempts: 0,
    headers: () => ({
      ...(token && { authorization: `Bearer ${token}` }),
      ...(lastEventId && { "last-event-id": lastEventId }),
    }),
  });
  return client.iterate({ query, variables });
}

/** The next result, which must come. */
async function next(results, what) {
  const { done, value } = await inTime(what, results.next());
  expect(!done, `the stream ended before ${what}`);
  return value;
}

async function event(results, booking, from, to) {
  const { data, errors } = await next(results, `${from} → ${to}`);
  expect(!errors, errors);
  const [found] = Object.values(data);
  same("the next event", [found.booking.id, found.from, found.to], [booking.id, from, to]);
  return found.cursor;
}

const guest = await signUp("GUEST");

await check("a query over a stream gives one result and completes", async () => {
  const results = run(operations.VIEWER, {}, guest.token);
  same("the viewer", (await next(results, "the viewer")).data.viewer.email, guest.email);
  same("the end", (await results.next()).done, true);
});

await check("a mistake is told over the stream", async () => {
  const results = run("{ nothing }", {}, guest.token);
  const { errors } = await next(results, "the mistake");
  same("codes", errors.map(({ extensions }) => extensions.code), ["BAD_USER_INPUT"]);
  same("the end", (await results.next()).done, true);
});

await check("nobody watches without signing in", async () => {
  const results = run(operations.VIEWER_BOOKING_STATUS_CHANGED, {});
  const { errors } = await next(results, "the refusal");
  same("codes", errors.map(({ extensions }) => extensions.code), ["UNAUTHENTICATED"]);
});

await check("who drops and comes again with Last-Event-ID hears what was missed, and then what happens", async () => {
  const begin = (await book(guest)).events.at(-1).cursor;
  const variables = { after: begin };
  const watching = run(operations.VIEWER_BOOKING_STATUS_CHANGED, variables, guest.token);
  const booking = await book(guest);
  const last = await event(watching, booking, null, "PENDING");
  await watching.return();

  await pay(booking, guest);
  // The same operation with the same variables, as a browser's EventSource would repeat it.
  const again = run(operations.VIEWER_BOOKING_STATUS_CHANGED, variables, guest.token, last);
  await event(again, booking, "PENDING", "CONFIRMED");
  await change(operations.CANCEL_BOOKING, { id: booking.id }, guest);
  await event(again, booking, "CONFIRMED", "CANCELLED");
  await again.return();
});

finish();
