// The main way of the marketplace over REST, from signing up to the refund, in the types that are made of the server's description.

import { randomInt, randomUUID } from "node:crypto";
import createClient, { type Client } from "openapi-fetch";
import { check, expect, same } from "../../checks.mjs";
import type { components, paths } from "./api.js";

type Schemas = components["schemas"];
type Problem = Schemas["Problem"];
type Media = "application/json" | "application/problem+json";
type Application = Client<paths, Media>;
type Answer<T> = { data: T; error?: never; response: Response } | { data?: never; error: Problem; response: Response };

const [, , a = "", b = ""] = process.argv;

/** Milliseconds after which what has not come is missing. */
const PATIENCE = 10_000;

// ---------------------------------------------------------------- the application

/** A fetch whose answer must be there, to its end, in this time. */
const within = (milliseconds: number) => (request: Request) => fetch(request, { signal: AbortSignal.timeout(milliseconds) });

/** A client of a server, in the name of whose token it is. */
function application(base: string, token?: string): Application {
  return createClient<paths, Media>({
    baseUrl: new URL("/api/v1", base).href,
    headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
    fetch: within(PATIENCE),
  });
}

/** What a request gives that must be done with this status. */
function done<T>(status: number, { data, error, response }: Answer<T>): T {
  expect(error === undefined, { url: response.url, status: response.status, error });
  same(`the status of ${response.url}`, response.status, status);
  return data;
}

/** What must be wrong with a request, and where: the status, the code, and each mistake's code with its field. */
function refused<T>({ data, error, response }: Answer<T>, status: number, code: Problem["code"], ...mistakes: string[]): void {
  expect(error !== undefined, { url: response.url, status: response.status, data });
  same("the media type", response.headers.get("content-type"), "application/problem+json");
  same("status and code", [response.status, error.status, error.code], [status, status, code]);
  same("the mistakes", error.errors.map(({ code, field }) => [code, ...field].join(" ")), mistakes);
  expect(error.type === "about:blank" && error.title && error.detail && error.id === undefined, error);
}

/** The name of the version that was answered with. */
function versionOf({ response }: { response: Response }): string {
  const tag = response.headers.get("etag");
  expect(tag !== null && /^"[0-9a-f]{32}"$/.test(tag), `this is no strong ETag: ${tag}`);
  return tag;
}

// ---------------------------------------------------------------- dates and money

const DAY = 24 * 60 * 60 * 1000;

function day(ahead: number, from: string | number = Date.now()): string {
  return new Date(new Date(from).getTime() + ahead * DAY).toISOString().slice(0, 10);
}

/** Money as whole cents, which can be added up. */
function cents({ amount, currency }: Schemas["Money"]): number {
  expect(/^-?\d+\.\d{2}$/.test(amount) && /^[A-Z]{3}$/.test(currency), `this is no money: ${amount} ${currency}`);
  return Number(amount.replace(".", ""));
}

const sum = (amounts: number[]): number => amounts.reduce((total, amount) => total + amount, 0);

// ---------------------------------------------------------------- server-sent events

interface Heard {
  id: number;
  event: string | undefined;
  data: unknown;
}

/** What a booking's stream tells after the event of this key; a line without data says where the stream begins, and is left out. */
async function* listen(app: Application, id: number, after: number): AsyncGenerator<Heard, void> {
  const { data, error, response } = await app.GET("/bookings/{id}/events/", {
    params: { path: { id }, header: { "Last-Event-ID": String(after) } },
    headers: { accept: "text/event-stream" },
    parseAs: "stream",
    // It stays open while other things are done.
    fetch: within(10 * PATIENCE),
  });
  expect(error === undefined && data, { status: response.status, error });
  same("the media type", response.headers.get("content-type"), "text/event-stream");
  let text = "";
  for await (const part of data.pipeThrough(new TextDecoderStream())) {
    const events = (text + part).split("\n\n");
    text = events.pop() ?? "";
    for (const event of events) {
      const fields = new Map(event.split("\n").map((line) => [line.replace(/:.*/, ""), line.replace(/^[^:]*: ?/, "")]));
      const told = fields.get("data");
      if (told !== undefined) {
        yield { id: Number(fields.get("id")), event: fields.get("event"), data: JSON.parse(told) };
      }
    }
  }
}

async function next(stream: AsyncGenerator<Heard, void>): Promise<Heard> {
  const { done, value } = await stream.next();
  expect(!done && value, "the stream ended");
  return value;
}

// ---------------------------------------------------------------- signing up

interface Person {
  session: Schemas["Session"];
  /** On the first server, and on the second one. */
  a: Application;
  b: Application;
}

async function signUp(role: Schemas["NewRole"]): Promise<Person> {
  const email = `${role.toLowerCase()}-${randomUUID()}@example.com`;
  const body = { fullName: "Robin Example", email, password: randomUUID(), role };
  const answer = await application(a).POST("/users/", { body });
  const session = done(201, answer);
  same("where the person is", answer.response.headers.get("location"), `/api/v1/users/${session.user.id}/`);
  same("who is signed in", [session.user.role, session.user.account?.email], [role, email]);
  return { session, a: application(a, session.accessToken), b: application(b, session.accessToken) };
}

const visitor = application(b);
let host!: Person;
let guest!: Person;
let other!: Person;

await check("a host and two guests sign up, and are signed in on the other server as well", async () => {
  [host, guest, other] = [await signUp("HOST"), await signUp("GUEST"), await signUp("GUEST")];
  for (const { session, b } of [host, guest, other]) {
    same("the person", done(200, await b.GET("/users/me/")), session.user);
  }
});

await check("what of a person is private is null for others", async () => {
  const params = { path: { id: host.session.user.id } };
  same("the account", done(200, await guest.b.GET("/users/{id}/", { params })).account, null);
  expect(done(200, await host.b.GET("/users/{id}/", { params })).account?.emailVerified === false, "it is not the host's own");
});

await check("who signs up as nothing particular is a guest", async () => {
  const body = { fullName: "Kim Example", email: `kim-${randomUUID()}@example.com`, password: randomUUID() };
  same("the role", done(201, await application(a).POST("/users/", { body })).user.role, "GUEST");
});

await check("a mail address that somebody has is TAKEN, and a short password INVALID", async () => {
  const email = guest.session.user.account?.email ?? "";
  const body = { fullName: "Robin Example", email, password: randomUUID() };
  refused(await visitor.POST("/users/", { body }), 409, "TAKEN", "TAKEN email");
  refused(await visitor.POST("/users/", { body: { ...body, password: "short" } }), 422, "INVALID", "INVALID password");
});

await check("the refresh token gives new ones, and the device stays the same", async () => {
  const { refreshToken } = guest.session;
  const session = done(200, await application(a).POST("/sessions/refresh/", { body: { refreshToken } }));
  expect(session.refreshToken !== refreshToken, "it is the old one");
  guest = { session, a: application(a, session.accessToken), b: application(b, session.accessToken) };
  const devices = done(200, await guest.b.GET("/sessions/")).items;
  same("the devices", devices.map(({ current }) => current), [true]);
});

// ---------------------------------------------------------------- listing and searching

const listed: Schemas["Property"][] = [];
let home!: Schemas["Property"];
const checkIn = day(randomInt(60, 298));
const stay = { checkIn, checkOut: day(3, checkIn), guests: 2 };

await check("a host lists properties, and a guest may not", async () => {
  const body: Schemas["NewProperty"] = {
    title: "A room with a view",
    description: "Above the river, quiet at night.",
    location: "Alfama, Lisbon, Portugal",
    latitude: 38.71,
    longitude: -9.13,
    pricePerNight: "100.00",
    maxGuests: 4,
    amenities: ["wifi", "kitchen"],
  };
  for (const [pricePerNight, amenities] of [["140.00", ["wifi", "kitchen"]], ["100.00", ["kitchen", "wifi", "garden"]],
    ["120.50", ["wifi", "kitchen"]], ["110", ["wifi"]], ["900.00", ["wifi", "kitchen"]]] as const) {
    const answer = await host.a.POST("/properties/", { body: { ...body, pricePerNight, amenities: [...amenities] } });
    const property = done(201, answer);
    same("where it is", answer.response.headers.get("location"), `/api/v1/properties/${property.id}/`);
    same("what the host left out", [property.instantBook, property.status, property.cancellationPolicy, property.averageRating],
      [true, "LISTED", "FLEXIBLE", null]);
    listed.push(property);
  }
  refused(await guest.a.POST("/properties/", { body }), 403, "FORBIDDEN");
});

const filter = () => ({
  hostId: host.session.user.id,
  location: "lisbon",
  amenities: ["wifi", "kitchen"],
  within: [38.6, -9.3, 38.8, -9.0],
  minPrice: "50",
  maxPrice: "150.00",
  sort: "PRICE_ASC" as const,
  ...stay,
});

await check("a search finds what is asked for, the cheapest first", async () => {
  const { items, next, previous } = done(200, await visitor.GET("/properties/", { params: { query: filter() } }));
  same("prices", items.map(({ pricePerNight }) => pricePerNight.amount), ["100.00", "120.50", "140.00"]);
  same("what is before and after", [previous, next], [null, null]);
  expect(items.every(({ hostId, amenities }) => hostId === host.session.user.id && amenities.includes("wifi")), items);
  const [cheapest] = items;
  expect(cheapest, "nothing is found");
  home = cheapest;
  same("a row and the property", home, done(200, await visitor.GET("/properties/{id}/", { params: { path: { id: home.id } } })));
});

/** Where a page's header Link leads to, by relation. */
function links({ response }: { response: Response }): Map<string, string> {
  const header = response.headers.get("link") ?? "";
  return new Map([...header.matchAll(/<([^>]*)>; rel="([a-z]+)"/g)].map(([, address = "", relation = ""]) => [relation, address]));
}

await check("its pages go on with the cursor, and with the header Link", async () => {
  const query = { ...filter(), limit: 2 };
  const first = await visitor.GET("/properties/", { params: { query } });
  const { items, next } = done(200, first);
  expect(next !== null, "there is no page after the first");
  const second = await visitor.GET("/properties/", { params: { query: { ...query, after: next } } });
  const rest = done(200, second);
  same("prices", [...items, ...rest.items].map(({ pricePerNight }) => pricePerNight.amount), ["100.00", "120.50", "140.00"]);
  same("the end", [rest.next, [...links(second).keys()]], [null, ["first", "prev"]]);

  const address = links(first).get("next");
  expect(address, first.response.headers.get("link"));
  const followed = await fetch(new URL(address, b));
  same("the page that Link leads to", await followed.json(), rest);
  expect(rest.previous !== null, "there is no page before the second");
  const back = done(200, await visitor.GET("/properties/", { params: { query: { ...query, before: rest.previous } } }));
  same("the page before the second", back.items, items);
});

await check("a search that can't be understood is refused, with the parameter's name", async () => {
  refused(await visitor.GET("/properties/", { params: { query: { limit: 0 } } }), 400, "BAD_USER_INPUT", "INVALID limit");
  refused(await visitor.GET("/properties/", { params: { query: { after: "broken" } } }), 422, "INVALID", "INVALID after");
  const noSuchDay = await visitor.GET("/properties/", { params: { query: { checkIn: "2027-02-30" } } });
  refused(noSuchDay, 400, "BAD_USER_INPUT", "INVALID checkIn");
});

await check("the lines of a quote make its total, and its nights are those of the calendar", async () => {
  const path = { id: home.id };
  const quote = done(200, await visitor.GET("/properties/{id}/quote/", { params: { path, query: stay } }));
  same("the quote", [quote.available, quote.problems, quote.nights], [true, [], 3]);
  same("the total", cents(quote.total), sum(quote.lineItems.map(({ amount }) => cents(amount))));
  const range = { from: stay.checkIn, to: stay.checkOut };
  const { nights } = done(200, await visitor.GET("/properties/{id}/calendar/", { params: { path, query: range } }));
  same("the nights", nights.map(({ available }) => available), [true, true, true]);
  const priced = quote.lineItems.find(({ kind }) => kind === "NIGHTS");
  same("their price", priced && cents(priced.amount), sum(nights.map(({ price }) => cents(price))));
  const many = await visitor.GET("/properties/{id}/quote/", { params: { path, query: { ...stay, guests: 5 } } });
  same("too many guests", done(200, many).problems.map(({ code }) => code), ["TOO_MANY_GUESTS"]);
});

await check("a property is changed in the version that was read, and in no older one", async () => {
  const path = { id: home.id };
  const version = versionOf(await host.b.GET("/properties/{id}/", { params: { path } }));
  const params = { path, header: { "If-Match": version } };
  const changed = await host.a.PATCH("/properties/{id}/", { params, body: { cleaningFee: "15.00", minNights: 2 } });
  same("the change", [done(200, changed).cleaningFee.amount, changed.data?.minNights], ["15.00", 2]);
  refused(await host.a.PATCH("/properties/{id}/", { params, body: { cleaningFee: null } }), 412, "PRECONDITION_FAILED");
  const again = { path, header: { "If-Match": versionOf(changed) } };
  const freed = done(200, await host.a.PATCH("/properties/{id}/", { params: again, body: { cleaningFee: null } }));
  same("after null", [freed.cleaningFee.amount, freed.minNights], ["0.00", 2]);
});

// ---------------------------------------------------------------- booking and paying

let booking!: Schemas["Booking"];
let path!: { id: number };
let stream!: AsyncGenerator<Heard, void>;
let first!: Schemas["BookingEvent"];

await check("the same key gives the same booking, and with another input IDEMPOTENCY_CONFLICT", async () => {
  const header = { "Idempotency-Key": randomUUID() };
  const body = { propertyId: home.id, ...stay };
  const answer = await guest.a.POST("/bookings/", { params: { header }, body });
  booking = done(201, answer);
  path = { id: booking.id };
  same("where it is", answer.response.headers.get("location"), `/api/v1/bookings/${booking.id}/`);
  same("the booking", [booking.status, booking.guests, booking.checkIn, booking.cancellationReason], ["PENDING", 2, checkIn, null]);
  same("the total", cents(booking.totalPrice), sum(booking.lineItems.map(({ amount }) => cents(amount))));
  same("the second time", done(201, await guest.b.POST("/bookings/", { params: { header }, body })), booking);
  const conflict = await guest.a.POST("/bookings/", { params: { header }, body: { ...body, guests: 1 } });
  refused(conflict, 409, "IDEMPOTENCY_CONFLICT", "IDEMPOTENCY_CONFLICT Idempotency-Key");
});

await check("another guest can't book the same nights, nor see the booking", async () => {
  const taken = await other.b.POST("/bookings/", { body: { propertyId: home.id, ...stay } });
  expect(taken.error?.errors.every(({ message }) => message), taken);
  refused(taken, 409, "DATES_UNAVAILABLE", "DATES_UNAVAILABLE");
  refused(await other.b.GET("/bookings/{id}/", { params: { path } }), 404, "NOT_FOUND", "NOT_FOUND id");
  refused(await visitor.GET("/bookings/{id}/", { params: { path } }), 401, "UNAUTHENTICATED");
});

await check("a stream on the other server begins after the event that was last heard", async () => {
  const { items } = done(200, await guest.b.GET("/bookings/{id}/events/", { params: { path } })) satisfies Schemas["BookingEvents"];
  same("the history", items.map(({ from, to }) => [from, to]), [[null, "PENDING"]]);
  const [event] = items;
  expect(event, "there is no event");
  first = event;
  stream = listen(guest.b, booking.id, first.id - 1);
  same("what was missed", await next(stream), { id: first.id, event: "status", data: first });
});

await check("a declined card is PAYMENT_DECLINED, and leaves the booking pending", async () => {
  const body = { bookingId: booking.id, paymentToken: "tok_chargeDeclined" };
  refused(await guest.a.POST("/payments/", { body }), 402, "PAYMENT_DECLINED", "PAYMENT_DECLINED paymentToken");
  same("the status", done(200, await guest.b.GET("/bookings/{id}/", { params: { path } })).status, "PENDING");
});

await check("a good card pays, and the booking is confirmed", async () => {
  const header = { "Idempotency-Key": randomUUID() };
  const body = { bookingId: booking.id, paymentToken: "tok_visa" };
  const payment = done(201, await guest.a.POST("/payments/", { params: { header }, body }));
  same("the payment", [payment.status, payment.method, payment.amount], ["PAID", "CARD", booking.totalPrice]);
  same("the second time", done(201, await guest.a.POST("/payments/", { params: { header }, body })).id, payment.id);
  const confirmed = done(200, await guest.b.GET("/bookings/{id}/", { params: { path } }));
  same("the booking", confirmed, { ...booking, status: "CONFIRMED", expiresAt: null });
});

await check("the stream tells it on the other server, as the history has it", async () => {
  const heard = await next(stream);
  const { items } = done(200, await guest.b.GET("/bookings/{id}/events/", { params: { path } }));
  same("the event", heard.data, items[1]);
  same("from and to", items.map(({ from, to }) => [from, to]), [[null, "PENDING"], ["PENDING", "CONFIRMED"]]);
});

await check("what the client has is not sent again", async () => {
  const answer = await guest.b.GET("/bookings/{id}/", { params: { path } });
  const header = { "If-None-Match": versionOf(answer) };
  const { response } = await guest.b.GET("/bookings/{id}/", { params: { path, header } });
  same("the answer", [response.status, response.headers.get("etag")], [304, header["If-None-Match"]]);
});

await check("a booking is changed in the version that was read, and in no older one", async () => {
  const header = { "If-Match": versionOf(await guest.b.GET("/bookings/{id}/", { params: { path } })) };
  const changed = await guest.a.PATCH("/bookings/{id}/", { params: { path, header }, body: { guests: 1 } });
  same("guests", done(200, changed).guests, 1);
  expect(versionOf(changed) !== header["If-Match"], "the version is the same");
  const stale = await guest.a.PATCH("/bookings/{id}/", { params: { path, header }, body: { guests: 2 } });
  refused(stale, 412, "PRECONDITION_FAILED");
  same("guests after that", done(200, await guest.b.GET("/bookings/{id}/", { params: { path } })).guests, 1);
});

await check("guest and host have the booking in their lists, each in their part", async () => {
  const ids = ({ items }: { items: Schemas["Booking"][] }) => items.map(({ id }) => id);
  same("the guest's", ids(done(200, await guest.b.GET("/bookings/"))), [booking.id]);
  const query = { as: "HOST", status: "CONFIRMED" } as const;
  same("the host's", ids(done(200, await host.b.GET("/bookings/", { params: { query } }))), [booking.id]);
  same("the other guest's", ids(done(200, await other.b.GET("/bookings/"))), []);
});

// ---------------------------------------------------------------- cancelling

await check("cancelling gives back what was promised, which the payment shows", async () => {
  const { refund } = done(200, await guest.b.GET("/bookings/{id}/refund-preview/", { params: { path } }));
  same("a refund weeks ahead", refund, booking.totalPrice);
  const cancelled = done(200, await guest.a.POST("/bookings/{id}/cancel/", { params: { path } }));
  same("the booking", [cancelled.status, cancelled.cancellationReason], ["CANCELLED", "CANCELLED_BY_GUEST"]);
  const { items, next } = done(200, await guest.b.GET("/payments/", { params: { query: { bookingId: booking.id } } }));
  const shown = items.map(({ status, refundedAmount, clientSecret }) => [status, refundedAmount, clientSecret]);
  same("the payments", [shown, next], [[["REFUNDED", refund, null]], null]);
  const again = await guest.a.POST("/bookings/{id}/cancel/", { params: { path } });
  refused(again, 409, "WRONG_STATE", "WRONG_STATE");
});

await check("the stream tells that too, and one that begins later tells what was missed and no more", async () => {
  const heard = await next(stream);
  const { items } = done(200, await guest.b.GET("/bookings/{id}/events/", { params: { path } }));
  const last = items.at(-1);
  same("the event", heard.data, last);
  same("from and to", [last?.from, last?.to], ["CONFIRMED", "CANCELLED"]);
  await stream.return();
  const confirmed = items[1];
  expect(confirmed, items);
  const later = listen(guest.b, booking.id, confirmed.id);
  same("what was missed", await next(later), heard);
  await later.return();
});

await check("a stranger hears nothing of it", async () => {
  const headers = { accept: "text/event-stream" };
  refused(await other.b.GET("/bookings/{id}/events/", { params: { path }, headers }), 404, "NOT_FOUND", "NOT_FOUND id");
});

// ---------------------------------------------------------------- reviews, and leaving

await check("the reviews of a property are listed, the newest first", async () => {
  const params = { query: { sort: "RATING_DESC", limit: 1 } } as const;
  const [best] = done(200, await visitor.GET("/properties/", { params })).items;
  expect(best?.averageRating, "no property has a review");
  const { items } = done(200, await visitor.GET("/reviews/", { params: { query: { propertyId: best.id, limit: 100 } } }));
  same("how many", items.length, best.reviewCount);
  expect(items.every(({ rating, propertyId }) => rating >= 1 && rating <= 5 && propertyId === best.id), items);
  const times = items.map(({ createdAt }) => Date.parse(createdAt));
  same("the order", times, times.toSorted((one, another) => another - one));
  refused(await visitor.GET("/reviews/"), 422, "REQUIRED", "REQUIRED propertyId");
});

await check("a stay that is not over can't be reviewed", async () => {
  const review = await guest.a.POST("/reviews/", { body: { bookingId: booking.id, rating: 5 } });
  refused(review, 409, "WRONG_STATE", "WRONG_STATE");
});

await check("after signing out the token is refused, on both servers", async () => {
  const { response } = await guest.a.DELETE("/sessions/current/");
  same("the answer", [response.status, await response.text()], [204, ""]);
  for (const app of [guest.a, guest.b]) {
    const answer = await app.GET("/users/me/");
    refused(answer, 401, "UNAUTHENTICATED");
    same("how to come in", answer.response.headers.get("www-authenticate"), 'Bearer error="invalid_token"');
  }
});

// ---------------------------------------------------------------- what does not compile

/** Never called: the compiler refuses each of these, which it would not if something in the types were `any`. */
export async function mistakes(): Promise<void> {
  // @ts-expect-error: there is no such address.
  await visitor.GET("/castles/");
  // @ts-expect-error: a password is missing.
  await visitor.POST("/sessions/", { body: { email: "guest@example.com" } });
  // @ts-expect-error: prices are text.
  await host.a.PATCH("/properties/{id}/", { params: { path }, body: { pricePerNight: 100 } });
  // @ts-expect-error: a title can't be taken away.
  await host.a.PATCH("/properties/{id}/", { params: { path }, body: { title: null } });
  // @ts-expect-error: nobody signs up as an admin.
  await signUp("ADMIN");
  // @ts-expect-error: there is no such order.
  await visitor.GET("/properties/", { params: { query: { sort: "PRICE" } } });
  // @ts-expect-error: of which booking has to be said.
  await guest.b.GET("/payments/");
  // @ts-expect-error: a booking has no such status.
  same("the status", booking.status, "LAPSED");
}
