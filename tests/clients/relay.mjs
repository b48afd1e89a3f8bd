// Uses the marketplace as an application with Relay does, whose operations relay-compiler makes of `relay/Stays.js`: requests go
// to one server, subscriptions to another one on the same data (or to the same server), both running on demo data:
//
//     node relay.mjs <base URL> <base URL of the subscriptions>
//
// Exits with 0 only if all held.

import { execFileSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { buildClientSchema, getIntrospectionQuery, printSchema } from "graphql";
import compiler from "relay-compiler";
import relay from "relay-runtime";
import { check, expect, finish, same } from "../checks.mjs";
import { arrivals } from "./arrivals.mjs";
import { PATIENCE, ask, send, socket } from "./client.mjs";
import { HOME, a, b, book, change, pay, payment, signUp, someStay } from "./moves.mjs";
import * as operations from "./operations.mjs";

const {
  Environment, Network, Observable, RecordSource, Store, commitMutation, createOperationDescriptor, fetchQuery,
  getPaginationMetadata, getPaginationVariables, getRefetchMetadata, getRequest, getSelector, requestSubscription,
} = relay;

// ---------------------------------------------------------------- the application

// The compiler puts what it writes into the index of git, where it finds one; here it finds none.
const folder = mkdtempSync(join(tmpdir(), "staygate-relay-"));
process.on("exit", () => rmSync(folder, { recursive: true }));
const load = createRequire(join(folder, "Stays.js"));
const compiled = (name) => load(`./__generated__/${name}.graphql`);

function application(token) {
  const sent = [];
  const request = async ({ text, name }, variables) => {
    sent.push(name);
    return (await send(a, JSON.stringify({ query: text, operationName: name, variables }), token)).answer;
  };
  const sockets = socket(b, token);
  const subscribe = ({ text, name }, variables) =>
    Observable.create((sink) => sockets.subscribe({ query: text, operationName: name, variables }, sink));
  const environment = new Environment({
    network: Network.create(request, subscribe),
    store: new Store(new RecordSource()),
  });
  return { environment, sent, stop: () => sockets.dispose() };
}

/** The result of a query, which stays in the store. */
async function run({ environment }, query, variables) {
  environment.retain(createOperationDescriptor(getRequest(query), variables));
  return fetchQuery(environment, query, variables).toPromise();
}

/** What the store has of a fragment. */
function read({ environment }, fragment, reference) {
  const { data, isMissingData } = environment.lookup(getSelector(compiled(fragment), reference));
  expect(!isMissingData, `the store lacks some of ${fragment}`);
  return data;
}

function commit({ environment }, mutation, variables) {
  return new Promise((resolve, reject) => {
    const onCompleted = (payload, errors) => (errors ? reject(new Error(JSON.stringify(errors))) : resolve(payload));
    commitMutation(environment, { mutation: compiled(mutation), variables, onCompleted, onError: reject });
  });
}

/** Loads the next page of a connection, as `usePaginationFragment` does. */
async function loadNext(app, fragment, reference, count) {
  const { paginationRequest, paginationMetadata, connectionPathInFragmentData: path } = getPaginationMetadata(
    compiled(fragment), fragment,
  );
  const { pageInfo } = path.reduce((data, field) => data[field], read(app, fragment, reference));
  const { variables } = getSelector(compiled(fragment), reference);
  const next = getPaginationVariables("forward", count, pageInfo.endCursor, variables, {}, paginationMetadata);
  await run(app, paginationRequest, next);
}

// ---------------------------------------------------------------- homes

await check("relay-compiler takes the schema, and every operation of the application fits it", async () => {
  cpSync(fileURLToPath(new URL("relay", import.meta.url)), folder, { recursive: true });
  writeFileSync(join(folder, "schema.graphql"), printSchema(buildClientSchema(await ask(a, getIntrospectionQuery()))));
  execFileSync(compiler, ["--noWatchman"], { cwd: folder, stdio: "pipe", timeout: PATIENCE });
});

const visitor = application();
const lisbon = { location: "lisbon", guests: 2 };
let homes;

await check("pages that are loaded one after the other make the connection that is loaded at once", async () => {
  const list = await run(visitor, compiled("StaysHomesQuery"), { filter: lisbon, count: 2 });
  for (const known of [2, 4]) {
    const { properties } = read(visitor, "Stays_homes", list);
    same("edges", [properties.edges.length, properties.pageInfo.hasNextPage], [known, true]);
    await loadNext(visitor, "Stays_homes", list, 2);
  }
  homes = read(visitor, "Stays_homes", list).properties;
  const atOnce = application();
  const whole = await run(atOnce, compiled("StaysHomesQuery"), { filter: lisbon, count: 6 });
  const ids = ({ edges }) => edges.map(({ node }) => node.id);
  same("homes", ids(homes), ids(read(atOnce, "Stays_homes", whole).properties));
  same("operations", visitor.sent, ["StaysHomesQuery", "StaysHomesPaginationQuery", "StaysHomesPaginationQuery"]);
});

await check("a home is fetched anew by its id", async () => {
  const { node } = homes.edges[0];
  const { refetchableRequest } = getRefetchMetadata(compiled("Stays_home"), "Stays_home");
  const fresh = application();
  const { node: home } = await run(fresh, refetchableRequest, { id: node.id });
  same("the home", read(fresh, "Stays_home", home), read(visitor, "Stays_home", node));
});

await check("an error is caught where it happened, and the rest has its data", async () => {
  const { booking, property } = await run(application(), compiled("StaysBothQuery"), { bookingId: HOME, homeId: HOME });
  same("the booking", [booking.ok, booking.errors?.map(({ extensions }) => extensions.code)], [false, ["BAD_USER_INPUT"]]);
  same("the property", property.id, HOME);
});

// ---------------------------------------------------------------- bookings

const guest = await signUp("GUEST");
const app = application(guest.token);
let trips;
let booking;

await check("a new booking goes to the head of the guest's connection", async () => {
  const old = await book(guest);
  const { viewer } = await run(app, compiled("StaysTripsQuery"), { count: 5 });
  trips = () => read(app, "Stays_trips", viewer).bookings;
  same("before", trips().edges.map(({ node }) => node.id), [old.id]);
  for (let tries = 0; tries < 5 && !booking; tries += 1) {
    // Somebody may have the nights.
    const input = { propertyId: HOME, ...someStay(), guests: 1, idempotencyKey: randomUUID() };
    ({ booking } = (await commit(app, "StaysBookMutation", { input, connections: [trips().__id] })).createBooking);
  }
  same("after", trips().edges.map(({ node }) => node.id), [booking.id, old.id]);
  await change(operations.CANCEL_BOOKING, { id: old.id }, guest);
});

const status = () => read(app, "Stays_booking", trips().edges[0].node).status;

await check("a mutation says what the caller can mend, and changes nothing", async () => {
  const { createPayment } = await commit(app, "StaysPayMutation", payment(booking, "tok_chargeDeclined"));
  same("mistakes", createPayment.userErrors, [{ field: ["paymentToken"], code: "PAYMENT_DECLINED" }]);
  same("the status", [createPayment.payment, status()], [null, "PENDING"]);
});

await check("one that is refused fails with the code", async () => {
  const refused = await commit(visitor, "StaysPayMutation", payment(booking, "tok_visa")).then(
    () => [],
    ({ source }) => source.errors.map(({ extensions }) => extensions.code),
  );
  same("codes", refused, ["UNAUTHENTICATED"]);
});

await check("what happens to a booking on A is heard on B, and seen in the connection", async () => {
  const variables = { id: booking.id, after: booking.events.at(-1).cursor };
  const heard = arrivals(({ next: onNext, error: onError }) =>
    requestSubscription(app.environment, {
      subscription: compiled("StaysBookingSubscription"), variables, onNext, onError,
    }));
  const before = app.sent.length;
  const steps = [
    ["PENDING", "CONFIRMED", () => pay(booking, guest)],
    ["CONFIRMED", "CANCELLED", () => change(operations.CANCEL_BOOKING, { id: booking.id }, guest)],
  ];
  for (const [old, now, move] of steps) {
    await move();
    const { from, to } = (await heard.next(`${old} → ${now}`)).bookingStatusChanged;
    same("what is heard", [from, to, status()], [old, now, now]);
  }
  heard.stop.dispose();
  same("requests", app.sent.length, before);
});

await check("a booking is fetched anew by its id, by its guest alone", async () => {
  const { refetchableRequest } = getRefetchMetadata(compiled("Stays_booking"), "Stays_booking");
  const fresh = application(guest.token);
  const { node } = await run(fresh, refetchableRequest, { id: booking.id });
  same("the status", read(fresh, "Stays_booking", node).status, "CANCELLED");
  same("for others", (await run(application(), refetchableRequest, { id: booking.id })).node, null);
});

await app.stop();
finish();
