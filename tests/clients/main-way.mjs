// Goes the main way of the marketplace, from the search to the refund, with the clients that other people
// wrote: requests go to one server, subscriptions to another one on the same data (or to the same server),
// both running on demo data:
//
//     node main-way.mjs <base URL> <base URL of the subscriptions>
//
// Exits with 0 only if all held.

import { randomUUID } from "node:crypto";
import { buildClientSchema, getIntrospectionQuery, parse, validate } from "graphql";
import { check, expect, finish, same } from "../checks.mjs";
import { PATIENCE, Watch, ask, refusal, refusalOf, send } from "./client.mjs";
import {
  HOME, a, b, book, cents, change, confirmInForm, day, look, mistakes, pay, payment, prices, search, signIn, signUp,
  someStay, sum, turned,
} from "./moves.mjs";
import * as operations from "./operations.mjs";

// ---------------------------------------------------------------- searching and looking

await check("graphql-js reads the schema, and every operation of this suite fits it", async () => {
  const { media } = await send(a, JSON.stringify({ query: "{ __typename }" }));
  expect(media?.startsWith("application/graphql-response+json"), `the media type is ${media}`);
  const schema = buildClientSchema(await ask(a, getIntrospectionQuery()));
  const errors = Object.values(operations).flatMap((operation) => validate(schema, parse(operation)));
  same("what does not fit", errors.map(({ message }) => message), []);
});

const idsOf = ({ nodes }) => nodes.map(({ id }) => id);

const trip = { location: "lisbon", guests: 2, amenities: ["wifi"], ...someStay() };
let found;
await check("a search finds what is asked for, the cheapest first", async () => {
  found = await search({ first: 100 }, trip);
  same("totalCount", found.totalCount, found.nodes.length);
  expect(found.totalCount >= 3, `only ${found.totalCount} found for ${JSON.stringify(trip)}`);
  for (const home of found.nodes) {
    expect(/lisbon/i.test(home.location) && home.maxGuests >= 2 && home.amenities.includes("wifi"), home);
    const { quote } = await prices(a, trip, home.id);
    same(`what hinders booking ${home.id}`, [quote.available, quote.problems], [true, []]);
  }
  const amounts = found.nodes.map(({ pricePerNight }) => cents(pricePerNight));
  same("the order of prices", amounts, amounts.toSorted((one, other) => one - other));
});

await check("its pages go forward with after, and back with before", async () => {
  const one = await search({ first: 2 }, trip);
  const two = await search({ first: 2, after: one.pageInfo.endCursor }, trip);
  same("two pages", [...idsOf(one), ...idsOf(two)], idsOf(found).slice(0, 4));
  same("totalCount", [one.totalCount, two.totalCount], [found.totalCount, found.totalCount]);
  same("hasNextPage", [one, two].map((page) => page.pageInfo.hasNextPage), [true, found.totalCount > 4]);
  same("startCursor", two.pageInfo.startCursor, two.edges[0].cursor);
  const back = await search({ last: 2, before: two.pageInfo.startCursor }, trip);
  same("the page before the second", idsOf(back), idsOf(one));
  same("hasPreviousPage", back.pageInfo.hasPreviousPage, false);
});

await check("a property shows its host, and three reviews with their authors", async () => {
  const { property } = await ask(a, operations.DETAIL, { id: HOME });
  expect(property.title && property.description && property.instantBook && property.status === "LISTED", property);
  expect(property.host.fullName && property.host.role === "HOST", property.host);
  const { nodes, totalCount } = property.reviews;
  same("how many reviews", [nodes.length, totalCount], [3, property.reviewCount]);
  expect(nodes.every(({ rating, author }) => rating >= 1 && rating <= 5 && author.id && author.fullName), nodes);
  const times = nodes.map(({ createdAt }) => Date.parse(createdAt));
  same("newest first", times, times.toSorted((one, other) => other - one));
});

await check("its calendar has thirty nights, and the lines of a quote make its total", async () => {
  const stay = someStay();
  const { calendar, quote } = await prices(a, stay);
  same("nights", [calendar.length, calendar[0].date, quote.nights], [30, stay.checkIn, 3]);
  same("the total", cents(quote.total), sum(quote.lineItems.map(({ amount }) => cents(amount))));
  const nights = quote.lineItems.find(({ kind }) => kind === "NIGHTS");
  same("the price of the nights", cents(nights.amount), sum(calendar.slice(0, 3).map(({ price }) => cents(price))));
});

// ---------------------------------------------------------------- signing in

await check("the viewer of a signed-out client is null", async () => {
  same("viewer", await ask(a, operations.VIEWER), { viewer: null });
});

await check("a wrong password is WRONG_CREDENTIALS", async () => {
  const input = { email: "guest@example.com", password: "not the demo-password" };
  same("mistakes", await mistakes(operations.SIGN_IN, { input }), ["WRONG_CREDENTIALS"]);
});

let host;
await check("the demo guest and the demo host sign in", async () => {
  host = await signIn("host@example.com", "demo-password");
  for (const who of [await signIn("guest@example.com", "demo-password"), host]) {
    const { viewer } = await ask(b, operations.VIEWER, {}, who.token);
    same("the viewer on B", [viewer?.email, viewer?.user.id], [who.email, who.id]);
  }
});

let guest;
let other;
await check("two fresh guests sign up", async () => {
  guest = await signUp("GUEST");
  other = await signUp("GUEST");
});

// ---------------------------------------------------------------- booking and paying, watched on B

let nights;
let first;
await check("a signed-out client on B sees that nights are taken on A", async () => {
  nights = new Watch(b, operations.AVAILABILITY_CHANGED, { propertyId: HOME });
  // Nothing tells a client when such a subscription has begun, so stays are booked until one is seen.
  for (let attempt = 1, arrived = false; !arrived; attempt += 1) {
    first = await book(guest);
    const arrival = nights.find("the nights of a new booking", turned(first, false), PATIENCE / 5);
    arrived = await arrival.then(() => true, (error) => (attempt < 5 ? false : Promise.reject(error)));
  }
});

// The guest's events on B, from the first booking's cursor on: whatever happens later must arrive.
let events;
let last;
const seen = [];

/** The guest's next event on B must be this one. */
async function sees(booking, from, to) {
  const event = await events.next(`the event ${from} → ${to} of booking ${booking.id}`);
  same("the next event", [event.booking.id, event.from, event.to], [booking.id, from, to]);
  seen.push(event);
  last = event.cursor;
}

/** Of a booking, the events that arrived are those that it has, in the same order. */
async function sawAll(booking) {
  const arrived = seen.filter((event) => event.booking.id === booking.id).map(({ cursor }) => cursor);
  same("cursors", arrived, (await look(booking, guest)).events.map(({ cursor }) => cursor));
}

let stay;
await check("the same key gives the same booking, and with another input IDEMPOTENCY_CONFLICT", async () => {
  last = first.events.at(-1).cursor;
  events = new Watch(b, operations.VIEWER_BOOKING_STATUS_CHANGED, { after: last }, guest.token);
  stay = await book(guest);
  same("the total", cents(stay.totalPrice), sum(stay.lineItems.map(({ amount }) => cents(amount))));
  const again = await change(operations.CREATE_BOOKING, { input: stay.input }, guest);
  same("the booking's id", again.booking.id, stay.id);
  const input = { ...stay.input, guests: 1 };
  const conflict = await mistakes(operations.CREATE_BOOKING, { input }, guest);
  same("mistakes", conflict, ["IDEMPOTENCY_CONFLICT idempotencyKey"]);
});

await check("another guest can't book the same nights, nor see the booking", async () => {
  const input = { ...stay.input, idempotencyKey: randomUUID() };
  same("mistakes", await mistakes(operations.CREATE_BOOKING, { input }, other), ["DATES_UNAVAILABLE"]);
  same("the booking", await look(stay, other), null);
});

await check("a declined card is PAYMENT_DECLINED and leaves the booking pending", async () => {
  const declined = await mistakes(operations.CREATE_PAYMENT, payment(stay, "tok_chargeDeclined"), guest);
  same("mistakes", declined, ["PAYMENT_DECLINED paymentToken"]);
  same("the status", (await look(stay, guest)).status, "PENDING");
});

await check("a good card pays and confirms", async () => {
  const paid = await pay(stay, guest);
  same("the payment", [paid.status, paid.amount, paid.booking], [
    "PAID", stay.totalPrice, { id: stay.id, status: "CONFIRMED" },
  ]);
});

await check("the guest on B sees PENDING and CONFIRMED, in order and each once", async () => {
  await sees(stay, null, "PENDING");
  await sees(stay, "PENDING", "CONFIRMED");
  await sawAll(stay);
});

await check("everyone on B sees those nights taken, and the search leaves the property out", async () => {
  await nights.find("the booked nights", turned(stay, false));
  const { calendar, quote } = await prices(b, stay);
  same("available", calendar.slice(0, 3).map(({ available }) => available), [false, false, false]);
  same("the quote", [quote.available, quote.problems.map(({ code }) => code)], [false, ["DATES_UNAVAILABLE"]]);
  const free = await search({ first: 100 }, { ...trip, checkIn: stay.checkIn, checkOut: stay.checkOut });
  expect(!idsOf(free).includes(HOME), "the search finds the property");
});

await check("a card with 3-D Secure waits for its form, whose answer on A is seen on B", async () => {
  const waiting = await pay(first, guest, "tok_threeDSecure");
  same("the payment", [waiting.status, waiting.booking.status], ["PENDING", "PENDING"]);
  await confirmInForm(waiting);
  await sees(first, "PENDING", "CONFIRMED");
  const { payment: paid } = await look(first, guest);
  same("the payment", [paid.status, paid.clientSecret], ["PAID", null]);
});

// ---------------------------------------------------------------- asking a host

let onRequest;
await check("the demo host lists a property that is booked on request", async () => {
  const { nodes } = (await ask(a, operations.HOMES, {}, host.token)).viewer.user.properties;
  onRequest = nodes.find(({ status, instantBook }) => status === "LISTED" && !instantBook)?.id;
  expect(onRequest, nodes);
});

let request;
await check("a request is paid before it is accepted, and then confirmed and collected", async () => {
  request = await book(guest, onRequest);
  await sees(request, null, "PENDING");
  same("mistakes", await mistakes(operations.ACCEPT_BOOKING, { id: request.id }, host), ["WRONG_STATE"]);
  const paid = await pay(request, guest);
  same("after paying", [paid.status, paid.booking.status], ["PENDING", "PENDING"]);
  const after = { bookingId: request.id, after: request.events.at(-1).cursor };
  const hosted = new Watch(b, operations.BOOKING_STATUS_CHANGED, after, host.token);
  const { booking } = await change(operations.ACCEPT_BOOKING, { id: request.id }, host);
  same("after accepting", [booking.status, booking.payment.status], ["CONFIRMED", "PAID"]);
  await sees(request, "PENDING", "CONFIRMED");
  const event = await hosted.next("the host's event of the accepted booking");
  same("the host's event", [event.cursor, event.to], [last, "CONFIRMED"]);
  await hosted.stop();
});

await check("another one is declined: cancelled, and nothing is collected", async () => {
  const unwanted = await book(guest, onRequest);
  await pay(unwanted, guest);
  const { booking } = await change(operations.DECLINE_BOOKING, { id: unwanted.id }, host);
  same("after declining", [booking.status, booking.cancellationReason], ["CANCELLED", "DECLINED_BY_HOST"]);
  expect(!["PENDING", "PAID"].includes(booking.payment.status), booking.payment);
  await sees(unwanted, null, "PENDING");
  await sees(unwanted, "PENDING", "CANCELLED");
});

// ---------------------------------------------------------------- cancelling, and coming back

await check("cancelling gives back what was promised, and frees the nights", async () => {
  const { refundPreview } = await look(stay, guest);
  same("a refund weeks ahead", refundPreview, stay.totalPrice);
  const { booking } = await change(operations.CANCEL_BOOKING, { id: stay.id }, guest);
  same("the booking", [booking.status, booking.cancellationReason], ["CANCELLED", "CANCELLED_BY_GUEST"]);
  same("the payment", [booking.payment.status, booking.payment.refundedAmount], ["REFUNDED", refundPreview]);
  await sees(stay, "CONFIRMED", "CANCELLED");
  await nights.find("the freed nights", turned(stay, true));
  for (const base of [a, b]) {
    same(`free again on ${base}`, (await prices(base, stay)).quote.available, true);
  }
});

await check("after a reconnect exactly the missed events come, in order, and then live ones", async () => {
  expect(events.quiet, "something came twice, or was not asked for");
  await events.stop();
  const missed = await book(guest);
  await pay(missed, guest);
  await change(operations.CANCEL_BOOKING, { id: missed.id }, guest);
  events = new Watch(b, operations.VIEWER_BOOKING_STATUS_CHANGED, { after: last }, guest.token);
  await sees(missed, null, "PENDING");
  await sees(missed, "PENDING", "CONFIRMED");
  await sees(missed, "CONFIRMED", "CANCELLED");
  for (const booking of [first, request]) {
    await change(operations.CANCEL_BOOKING, { id: booking.id }, guest);
    await sees(booking, "CONFIRMED", "CANCELLED");
  }
  await sawAll(missed);
  same("different cursors", new Set(seen.map(({ cursor }) => cursor)).size, seen.length);
});

// ---------------------------------------------------------------- who may not

await check("a stranger can't watch a booking, and a signed-out client neither", async () => {
  for (const [who, code] of [[other, "NOT_FOUND"], [undefined, "UNAUTHENTICATED"]]) {
    const watch = new Watch(b, operations.BOOKING_STATUS_CHANGED, { bookingId: first.id }, who?.token);
    same("the refusal", await watch.refusal(`the error ${code}`), { codes: [code] });
    await watch.stop();
  }
});

await check("booking needs a sign-in", async () => {
  const { codes } = await refusal(a, operations.CREATE_BOOKING, { input: stay.input });
  same("codes", codes, ["UNAUTHENTICATED"]);
});

await check("after signing out the token is refused, on A and on B", async () => {
  await events.stop();
  await change(operations.SIGN_OUT, {}, guest);
  for (const base of [a, b]) {
    const refused = await refusal(base, operations.VIEWER, {}, guest.token);
    same(`the refusal of ${base}`, refused, { status: 401, codes: ["UNAUTHENTICATED"] });
  }
  const watch = new Watch(b, operations.VIEWER_BOOKING_STATUS_CHANGED, { after: last }, guest.token);
  same("the refusal of a socket", await watch.refusal("the end of the socket"), { close: 4403 });
});

// ---------------------------------------------------------------- what can't be read

const BAD = { status: 400, codes: ["BAD_USER_INPUT"] };

await check("an unknown field and broken JSON are bad requests", async () => {
  same("an unknown field", await refusal(a, "{ viewer { shoeSize } }"), BAD);
  same("broken JSON", await refusalOf('{ "query": "{ viewer', a), BAD);
});

await check("a date that does not exist is BAD_USER_INPUT", async () => {
  const dates = { checkIn: "2027-02-30", checkOut: "2027-03-02" };
  same("in a variable", (await refusal(a, operations.SEARCH, { filter: dates })).codes, BAD.codes);
  const inline = `{ property(id: "${HOME}") { calendar(from: "2027-02-30", to: "2027-03-02") { date } } }`;
  same("in the document", (await refusal(a, inline)).codes, BAD.codes);
});

await check("a field that can't be null takes its parent along when it fails", async () => {
  const query = `{ property(id: "${HOME}") { title calendar(from: "2027-03-02", to: "2027-03-01") { date } } }`;
  same("codes", (await refusal(a, query)).codes, BAD.codes);
});

await check("a broken cursor is BAD_USER_INPUT", async () => {
  same("codes", (await refusal(a, operations.SEARCH, { first: 2, after: "broken" })).codes, BAD.codes);
});

await check("a price with three decimals is INVALID", async () => {
  const input = { title: "Fisher's hut", description: "One room by the sea.", location: "Nowhere", maxGuests: 2 };
  const three = { input: { ...input, pricePerNight: "99.999" } };
  same("mistakes", await mistakes(operations.CREATE_PROPERTY, three, await signUp("HOST")), ["INVALID pricePerNight"]);
});

await check("the id of something else is INVALID", async () => {
  const input = { ...stay.input, propertyId: other.id, idempotencyKey: randomUUID() };
  same("mistakes", await mistakes(operations.CREATE_BOOKING, { input }, other), ["INVALID propertyId"]);
});

finish();
