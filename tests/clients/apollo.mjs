// Uses the marketplace as an application with Apollo Client does: requests go to one server, subscriptions to another one on the
// same data (or to the same server), both running on demo data:
//
//     node apollo.mjs <base URL> <base URL of the subscriptions>
//
// Exits with 0 only if all held.

import { ApolloClient, ApolloLink, CombinedGraphQLErrors, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { SetContextLink } from "@apollo/client/link/context";
import { ErrorLink } from "@apollo/client/link/error";
import { GraphQLWsLink } from "@apollo/client/link/subscriptions";
import { relayStylePagination } from "@apollo/client/utilities";
import { filter, firstValueFrom, from, mergeMap } from "rxjs";
import { check, expect, finish, same } from "../checks.mjs";
import { arrivals } from "./arrivals.mjs";
import { ask, graphql, inTime, socket } from "./client.mjs";
import { HOME, NOBODY, a, b, book, change, payment, signUp } from "./moves.mjs";
import * as operations from "./operations.mjs";
import { wire } from "./wire.mjs";

// ---------------------------------------------------------------- the application

const { __schema } = await ask(a, "{ __schema { types { kind name possibleTypes { name } } } }");
const possibleTypes = Object.fromEntries(
  __schema.types
    .filter(({ kind }) => kind === "INTERFACE" || kind === "UNION")
    .map((type) => [type.name, type.possibleTypes.map(({ name }) => name)]),
);

const typePolicies = {
  Query: {
    fields: {
      properties: relayStylePagination(["filter", "sort"]),
      property: { read: (_, { args, toReference }) => toReference({ __typename: "Property", id: args.id }) },
    },
  },
  // There is one.
  Viewer: { keyFields: [] },
};

const isSubscription = ({ operationType }) => operationType === "subscription";
const codes = ({ errors }) => errors.map(({ extensions }) => extensions?.code);

/** A client that sends the session's token and takes a new one when it is refused. */
function application(session = {}, { useGETForQueries = false } = {}) {
  const { sent, fetch } = wire();
  const refresh = new ErrorLink(({ error, operation, forward }) => {
    const refused = CombinedGraphQLErrors.is(error) && codes(error).includes("UNAUTHENTICATED");
    if (refused && session.refreshToken && !operation.getContext().refreshed) {
      operation.setContext({ refreshed: true });
      return from(renew(session)).pipe(mergeMap(() => forward(operation)));
    }
  });
  const authorize = new SetContextLink(({ headers }) => ({
    headers: { ...headers, ...(session.token && { authorization: `Bearer ${session.token}` }) },
  }));
  const http = new HttpLink({ uri: graphql(a), fetch, useGETForQueries });
  const sockets = socket(b, session.token);
  const client = new ApolloClient({
    link: ApolloLink.from([refresh, authorize, ApolloLink.split(isSubscription, new GraphQLWsLink(sockets), http)]),
    cache: new InMemoryCache({ possibleTypes, typePolicies }),
  });
  return {
    client,
    sent,
    query: async (query, variables, options) => (await client.query({ query: gql(query), variables, ...options })).data,
    mutate: async (mutation, variables) => (await client.mutate({ mutation: gql(mutation), variables })).data,
    stop: () => sockets.dispose(),
  };
}

const REFRESH = `
  mutation Refresh($input: RefreshSessionInput!) {
    refreshSession(input: $input) { accessToken refreshToken userErrors { code } }
  }`;

/** Sent without the token that is not good any more. */
async function renew(session) {
  const { mutate } = application();
  const { refreshSession } = await mutate(REFRESH, { input: { refreshToken: session.refreshToken } });
  session.token = refreshSession.accessToken;
  session.refreshToken = refreshSession.refreshToken;
}

/** A query whose result stays in sight. */
function show({ client }, query, variables) {
  const shown = client.watchQuery({ query: gql(query), variables });
  shown.subscribe(() => {});
  return shown;
}

/** What is in sight as soon as it is as wanted. */
async function shows(shown, what, wanted) {
  const complete = shown.pipe(filter(({ loading, data }) => !loading && wanted(data)));
  return (await inTime(what, firstValueFrom(complete))).data;
}

/** The codes that an operation must fail with. */
async function failure(promise) {
  const error = await promise.then(
    () => expect(false, "the operation was done"),
    (error) => error,
  );
  expect(CombinedGraphQLErrors.is(error), `this is no error of GraphQL: ${error.name}: ${error.message}`);
  return codes(error);
}

const HOMES = `
  query Homes($filter: PropertyFilter, $first: Int, $after: String) {
    properties(filter: $filter, sort: PRICE_ASC, first: $first, after: $after) {
      totalCount
      pageInfo { ...Page }
      edges { cursor node { ...Home host { ...Person } } }
    }
  }
  fragment Page on PageInfo { hasNextPage hasPreviousPage startCursor endCursor }
  fragment Home on Property { id title location pricePerNight { amount currency } }
  fragment Person on User { id fullName }`;

const lisbon = { location: "lisbon", guests: 2 };
const idsOf = ({ properties }) => properties.edges.map(({ node }) => node.id);
const titled = (id) => [`query Titled($id: ID!) { property(id: $id) { id title } }`, { id }];

// ---------------------------------------------------------------- requests

const visitor = application();
let homes;
await check("a query with variables and fragments finds homes", async () => {
  homes = await visitor.query(HOMES, { filter: lisbon, first: 3 });
  same("how many", homes.properties.edges.length, 3);
  for (const { node } of homes.properties.edges) {
    expect(/lisbon/i.test(node.location) && node.title && node.host.fullName, node);
  }
});

await check("it finds the same by GET", async () => {
  const getting = application({}, { useGETForQueries: true });
  same("what is found", await getting.query(HOMES, { filter: lisbon, first: 3 }), homes);
  same("what was sent", getting.sent.map(({ method, status }) => [method, status]), [["GET", 200]]);
});

await check("a client that gets its queries posts its mutations", async () => {
  const getting = application({}, { useGETForQueries: true });
  const { signIn } = await getting.mutate(operations.SIGN_IN, { input: NOBODY });
  same("what the caller can mend", signIn.userErrors.map(({ code }) => code), ["WRONG_CREDENTIALS"]);
  same("the viewer", signIn.viewer, null);
  same("what was sent", getting.sent.map(({ method, status }) => [method, status]), [["POST", 200]]);
});

await check("an operation that is refused fails with the code", async () => {
  const input = { propertyId: HOME, checkIn: "2027-03-01", checkOut: "2027-03-04" };
  same("signed out", await failure(visitor.mutate(operations.CREATE_BOOKING, { input })), ["UNAUTHENTICATED"]);
  same("an unknown field", await failure(visitor.query("query Size { viewer { shoeSize } }")), ["BAD_USER_INPUT"]);
  const dates = { checkIn: "2027-02-30", checkOut: "2027-03-02" };
  same("no such day", await failure(visitor.query(HOMES, { filter: dates })), ["BAD_USER_INPUT"]);
  same("the answers", visitor.sent.slice(-3).map(({ status }) => status), [200, 400, 400]);
});

await check("one field's error leaves the others their data", async () => {
  const query = gql("query Both($id: ID!, $none: ID!) { stay: booking(id: $none) { id } property(id: $id) { id title } }");
  const variables = { id: HOME, none: HOME };
  const { data, error } = await visitor.client.query({ query, variables, errorPolicy: "all" });
  same("the error", [codes(error), error.errors[0].path], [["BAD_USER_INPUT"], ["stay"]]);
  same("the data", [data.stay, data.property.id], [null, HOME]);
});

// ---------------------------------------------------------------- the cache

await check("what a list has shown is there by its id, without a request", async () => {
  const before = visitor.sent.length;
  const { node } = homes.properties.edges[1];
  const { property } = await visitor.query(...titled(node.id));
  same("the title", property.title, node.title);
  same("requests", visitor.sent.length, before);
});

await check("a node is the same object as the thing that its id names", async () => {
  const { node } = homes.properties.edges[0];
  const query = "query Again($id: ID!) { node(id: $id) { id ... on Property { title } ... on Booking { status } } }";
  same("the node", (await visitor.query(query, { id: node.id })).node, {
    __typename: "Property", id: node.id, title: node.title,
  });
  const kept = Object.keys(visitor.client.cache.extract()).filter((key) => key.includes(node.id));
  same("what the cache keeps of it", kept, [`Property:${node.id}`]);
});

await check("pages that are fetched one after the other make the list that is fetched at once", async () => {
  const list = show(application(), HOMES, { filter: lisbon, first: 2 });
  for (const known of [2, 4]) {
    const { properties } = await shows(list, `a list of ${known}`, ({ properties }) => properties.edges.length === known);
    await list.fetchMore({ variables: { after: properties.pageInfo.endCursor } });
  }
  const paged = await shows(list, "a list of 6", ({ properties }) => properties.edges.length === 6);
  const whole = await application().query(HOMES, { filter: lisbon, first: 6 });
  same("homes", idsOf(paged), idsOf(whole));
  same("pageInfo", paged.properties.pageInfo, whole.properties.pageInfo);
});

// ---------------------------------------------------------------- signed in

const guest = await signUp("GUEST");
const app = application({ token: guest.token });
let booking;
let shown;
const isNow = (status) => ({ booking }) => booking.status === status;

await check("a booking that is paid for changes where it is shown, without another request", async () => {
  booking = await book(guest);
  shown = show(app, operations.GET_BOOKING, { id: booking.id });
  await shows(shown, "the booking", isNow("PENDING"));
  await app.mutate(operations.CREATE_PAYMENT, payment(booking, "tok_visa"));
  await shows(shown, "the paid booking", isNow("CONFIRMED"));
  same("requests", app.sent.length, 2);
});

await check("so does one that somebody cancels on A while the application listens to B", async () => {
  const query = gql(operations.BOOKING_STATUS_CHANGED);
  const variables = { bookingId: booking.id, after: booking.events.at(-1).cursor };
  const heard = arrivals((sink) => app.client.subscribe({ query, variables }).subscribe(sink));
  const next = async (what) => (await heard.next(what)).data.bookingStatusChanged;
  same("what was missed", (await next("the payment")).to, "CONFIRMED");
  const before = app.sent.length;
  await change(operations.CANCEL_BOOKING, { id: booking.id }, guest);
  same("what is heard", (await next("the cancelling")).to, "CANCELLED");
  await shows(shown, "the cancelled booking", isNow("CANCELLED"));
  same("requests", app.sent.length, before);
  heard.stop.unsubscribe();
});

await check("a subscription that is refused fails with the code", async () => {
  const query = gql(operations.BOOKING_STATUS_CHANGED);
  const heard = arrivals((sink) => visitor.client.subscribe({ query, variables: { bookingId: booking.id } }).subscribe(sink));
  const { error } = await heard.next("the refusal");
  same("codes", codes(error), ["UNAUTHENTICATED"]);
});

await check("three queries that meet a lapsed token at once take new ones, and are answered", async () => {
  const session = {};
  const returning = application(session);
  const input = { email: "guest@example.com", password: "demo-password" };
  const { signIn } = await returning.mutate(operations.SIGN_IN, { input });
  Object.assign(session, { token: "lapsed", refreshToken: signIn.refreshToken });
  const once = { fetchPolicy: "no-cache", context: { queryDeduplication: false } };
  const asked = [1, 2, 3].map(() => returning.query(operations.VIEWER, {}, once));
  const viewers = await inTime("the viewers", Promise.all(asked));
  same("who they are", viewers.map(({ viewer }) => viewer.email), Array(3).fill(input.email));
  const statuses = returning.sent.map(({ status }) => status);
  same("the answers", statuses, [200, 401, 401, 401, 200, 200, 200]);
  expect(session.token !== "lapsed" && session.refreshToken !== signIn.refreshToken, "the session kept its old tokens");
});

for (const { stop } of [visitor, app]) {
  await stop();
}
finish();
