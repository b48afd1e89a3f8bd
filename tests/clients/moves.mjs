// What people do in the marketplace: one function a move.

import { randomInt, randomUUID } from "node:crypto";
import { expect, same } from "../checks.mjs";
import { PATIENCE, ask } from "./client.mjs";
import * as operations from "./operations.mjs";

/** The base URLs of the server that is asked, and of the one on which the subscriptions run. */
export const [a, b] = process.argv.slice(2);
if (!a || !b) {
  console.error("usage: node SUITE <base URL> <base URL of the subscriptions>");
  process.exit(2);
}

/** The first home of the demo data: it is in Lisbon, and instant book. */
export const HOME = "UHJvcGVydHk6MQ";

/** Whom nothing signs in. A wrong password of somebody real would use up the tries that this account has left. */
export const NOBODY = { email: `nobody-${randomUUID()}@example.com`, password: "not the demo-password" };

// ---------------------------------------------------------------- dates and money

const DAY = 24 * 60 * 60 * 1000;

/** The date so many days after another one, which is today when left out. */
export function day(ahead, from = Date.now()) {
  return new Date(new Date(from).getTime() + ahead * DAY).toISOString().slice(0, 10);
}

/** Three nights, 60 to 300 days ahead. */
export function someStay() {
  const checkIn = day(randomInt(60, 298));
  return { checkIn, checkOut: day(3, checkIn) };
}

/** Whether all nights of a stay are among these, and stand so. */
export const turned = ({ checkIn }, available) => (nights) => {
  const dates = nights.filter((night) => night.available === available).map(({ date }) => date);
  return [0, 1, 2].every((ahead) => dates.includes(day(ahead, checkIn)));
};

/** Money as whole cents, which can be added up. */
export function cents({ amount, currency }) {
  expect(/^-?\d+\.\d{2}$/.test(amount) && /^[A-Z]{3}$/.test(currency), `this is no money: ${amount} ${currency}`);
  return Number(amount.replace(".", ""));
}

export const sum = (amounts) => amounts.reduce((total, amount) => total + amount, 0);

// ---------------------------------------------------------------- reading

export const search = async (page, filter) => (await ask(a, operations.SEARCH, { ...page, filter })).properties;

/** A stay's quote, and the calendar of thirty nights from its check-in on. */
export async function prices(base, { checkIn, checkOut }, id = HOME) {
  const variables = { id, from: checkIn, to: day(30, checkIn), checkIn, checkOut };
  return (await ask(base, operations.PRICES, variables)).property;
}

/** A booking as somebody sees it. */
export const look = async ({ id }, who) => (await ask(a, operations.GET_BOOKING, { id }, who.token)).booking;

// ---------------------------------------------------------------- changing

/** The payload of a mutation that must be done. */
export async function change(mutation, variables, who) {
  const [payload] = Object.values(await ask(a, mutation, variables, who?.token));
  expect(payload.userErrors.length === 0, { mutation, variables, payload });
  return payload;
}

/** What is wrong with a mutation that must not be done: codes, each with its field. */
export async function mistakes(mutation, variables, who) {
  const [payload] = Object.values(await ask(a, mutation, variables, who?.token));
  const { userErrors, ...made } = payload;
  expect(Object.values(made).every((thing) => thing === null), payload);
  expect(userErrors.every(({ message }) => message), payload);
  return userErrors.map(({ field, code }) => [code, ...field].join(" "));
}

const personOf = ({ accessToken, viewer }) => ({ token: accessToken, id: viewer.user.id, email: viewer.email });

export async function signIn(email, password) {
  return personOf(await change(operations.SIGN_IN, { input: { email, password } }));
}

/** Somebody new. */
export async function signUp(role) {
  const email = `${role.toLowerCase()}-${randomUUID()}@example.com`;
  const input = { fullName: "Robin Example", email, password: randomUUID(), role };
  const session = await change(operations.SIGN_UP, { input });
  same("the new viewer", [session.viewer.email, session.viewer.user.role], [email, role]);
  return personOf(session);
}

/** Books some stay; when somebody has its nights, another one. Gives the booking, with the input that made it. */
export async function book(guest, propertyId = HOME) {
  for (let retries = 5; ; retries -= 1) {
    const input = { propertyId, ...someStay(), guests: 2, idempotencyKey: randomUUID() };
    const { createBooking } = await ask(a, operations.CREATE_BOOKING, { input }, guest.token);
    if (retries === 0 || !createBooking.userErrors.some(({ code }) => code === "DATES_UNAVAILABLE")) {
      expect(createBooking.booking?.status === "PENDING", { input, createBooking });
      return { ...createBooking.booking, input };
    }
  }
}

/** The variables that pay for a booking. */
export const payment = ({ id }, paymentToken) => ({ input: { bookingId: id, paymentToken } });

export async function pay(booking, guest, token = "tok_visa") {
  return (await change(operations.CREATE_PAYMENT, payment(booking, token), guest)).payment;
}

/** What a guest does in the payment form of the sandbox. */
export async function confirmInForm({ clientSecret }) {
  expect(clientSecret, "there is no clientSecret");
  const form = new URL(`/sandbox/payments/${clientSecret}/confirm`, a);
  const { status } = await fetch(form, { method: "POST", signal: AbortSignal.timeout(PATIENCE) });
  expect(status === 204 || status === 200, `the payment form is answered with ${status}`);
}
