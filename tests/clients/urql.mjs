// Uses the marketplace as an application with urql does: requests go to one server, subscriptions to another one on the same data
// (or to the same server), both running on demo data:
//
//     node urql.mjs <base URL> <base URL of the subscriptions>
//
// Exits with 0 only if all held.

import { Client, cacheExchange, fetchExchange, gql, subscriptionExchange } from "@urql/core";
import { check, expect, finish, same } from "../checks.mjs";
import { arrivals } from "./arrivals.mjs";
import { graphql, socket } from "./client.mjs";
import { HOME, NOBODY, a, b, book, change, pay, payment, signUp } from "./moves.mjs";
import * as operations from "./operations.mjs";
import { wire } from "./wire.mjs";

// ---------------------------------------------------------------- the application

/** Queries are sent by GET unless their URL would be too long; subscriptions by a socket, unless they are to be streams. */
function application(token, { streams = false } = {}) {
  const { sent, fetch } = wire();
  const sockets = socket(b, token);
  const forwardSubscription = (request) => ({
    subscribe: (sink) => ({ unsubscribe: sockets.subscribe(request, sink) }),
  });
  const client = new Client({
    url: graphql(streams ? b : a),
    fetch,
    preferGetMethod: true,
    fetchSubscriptions: streams,
    fetchOptions: () => ({ headers: token ? { authorization: `Bearer ${token}` } : {} }),
    exchanges: [cacheExchange, fetchExchange, subscriptionExchange({ forwardSubscription })],
  });
  return { client, sent, stop: () => sockets.dispose() };
}

const codes = ({ graphQLErrors }) => graphQLErrors.map(({ extensions }) => extensions.code);
const sentAs = ({ sent }) => sent.map(({ method, status }) => [method, status]);

const HOMES = gql`
  query Homes($filter: PropertyFilter) {
    properties(filter: $filter, first: 3) { totalCount nodes { ...Home } }
  }
  fragment Home on Property { id title location }`;

// ---------------------------------------------------------------- requests

await check("a query with variables and a fragment goes by GET", async () => {
  const visitor = application();
  const { data, error } = await visitor.client.query(HOMES, { filter: { location: "lisbon" } });
  expect(!error, error);
  expect(data.properties.nodes.length === 3 && data.properties.nodes.every(({ location }) => /lisbon/i.test(location)), data);
  same("what was sent", sentAs(visitor), [["GET", 200]]);
});

await check("one that would make too long a URL is posted", async () => {
  const visitor = application();
  const filter = { location: "lisbon", amenities: Array(50).fill("a_room_so_quiet_that_one_hears_the_sea") };
  const { data, error } = await visitor.client.query(HOMES, { filter });
  expect(!error, error);
  same("what is found", data.properties.totalCount, 0);
  same("what was sent", sentAs(visitor), [["POST", 200]]);
});

await check("a query that can't be run fails with the code", async () => {
  const visitor = application();
  const { data, error } = await visitor.client.query(HOMES, { filter: { checkIn: "2027-02-30" } });
  same("no such day", [data, codes(error)], [undefined, ["BAD_USER_INPUT"]]);
  same("what was sent", sentAs(visitor), [["GET", 400]]);
});

await check("one field's error leaves the others their data", async () => {
  const query = "query Both($id: ID!) { booking(id: $id) { id } property(id: $id) { id } }";
  const { data, error } = await application().client.query(query, { id: HOME });
  same("the error", [codes(error), error.graphQLErrors[0].path], [["BAD_USER_INPUT"], ["booking"]]);
  same("the data", [data.booking, data.property.id], [null, HOME]);
});

await check("a mutation says what the caller can mend", async () => {
  const visitor = application();
  const { data, error } = await visitor.client.mutation(operations.SIGN_IN, { input: NOBODY });
  expect(!error, error);
  same("the mistakes", data.signIn.userErrors.map(({ code }) => code), ["WRONG_CREDENTIALS"]);
  same("what was sent", sentAs(visitor), [["POST", 200]]);
});

// ---------------------------------------------------------------- signed in

const guest = await signUp("GUEST");
const app = application(guest.token);

await check("the fetch options sign the application in", async () => {
  const { data, error } = await app.client.query(operations.VIEWER, {});
  expect(!error, error);
  same("the viewer", data.viewer.email, guest.email);
});

await check("a token that is not good is UNAUTHENTICATED, with the status 401", async () => {
  const { error } = await application("lapsed").client.query(operations.VIEWER, {});
  same("the refusal", [codes(error), error.response.status], [["UNAUTHENTICATED"], 401]);
});

await check("a booking is asked for once, and again when a mutation has changed it", async () => {
  const booking = await book(guest);
  const read = async () => {
    const { data, error, operation } = await app.client.query(operations.GET_BOOKING, { id: booking.id });
    expect(!error, error);
    return [data.booking.status, operation.context.meta.cacheOutcome];
  };
  same("at first", await read(), ["PENDING", "miss"]);
  same("then", await read(), ["PENDING", "hit"]);
  const { data, error } = await app.client.mutation(operations.CREATE_PAYMENT, payment(booking, "tok_visa"));
  expect(!error && data.createPayment.userErrors.length === 0, { data, error });
  same("after paying", await read(), ["CONFIRMED", "miss"]);
  await change(operations.CANCEL_BOOKING, { id: booking.id }, guest);
});

// ---------------------------------------------------------------- watching

/** Watches a booking on B while it is paid for and cancelled on A. */
async function watches(watcher) {
  const booking = await book(guest);
  const variables = { bookingId: booking.id, after: booking.events.at(-1).cursor };
  const subscription = watcher.client.subscription(operations.BOOKING_STATUS_CHANGED, variables);
  const heard = arrivals(({ next }) => subscription.subscribe(next));
  const steps = [
    ["PENDING", "CONFIRMED", () => pay(booking, guest)],
    ["CONFIRMED", "CANCELLED", () => change(operations.CANCEL_BOOKING, { id: booking.id }, guest)],
  ];
  for (const [old, now, move] of steps) {
    await move();
    const { data, error } = await heard.next(`${old} → ${now}`);
    expect(!error, error);
    const { from, to } = data.bookingStatusChanged;
    same("what is heard", [from, to], [old, now]);
  }
  heard.stop.unsubscribe();
}

await check("what happens to a booking on A is heard on a socket to B", () => watches(app));

await check("and on a stream of server-sent events from B", async () => {
  const streaming = application(guest.token, { streams: true });
  await watches(streaming);
  same("what was sent", sentAs(streaming), [["POST", 200]]);
});

await check("a subscription that is refused fails with the code, on a socket and on a stream", async () => {
  for (const streams of [false, true]) {
    const stranger = application(undefined, { streams });
    const subscription = stranger.client.subscription(operations.VIEWER_BOOKING_STATUS_CHANGED, {});
    const { error } = await arrivals(({ next }) => subscription.subscribe(next)).next("the refusal");
    same("codes", codes(error), ["UNAUTHENTICATED"]);
    await stranger.stop();
  }
});

await app.stop();
finish();
