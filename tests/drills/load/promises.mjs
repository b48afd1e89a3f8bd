// What has to hold after a fault, whatever it was: what was acknowledged is there, once.

import { execFile } from "node:child_process";
import { setTimeout as pause } from "node:timers/promises";
import { promisify } from "node:util";
import { HOME, edition } from "./people.mjs";

const run = promisify(execFile);
/** A session that has ended is let in nowhere, and no kept answer shows what was there before a write, after so many milliseconds (docs/sessions.md, docs/caching.md). */
const BOUND = 1000;

const STAYS = `query ($after: String) { viewer { bookings(first: 50, after: $after) {
  nodes { id checkIn checkOut status payment { id status } events { cursor } } pageInfo { hasNextPage endCursor } } } }`;

/** One number by SQL. */
export async function number([command, ...given], query) {
  const { stdout } = await run(command, [...given, query]);
  return Number(stdout.trim());
}

/** Waits until no payment is under way and no job in hand. Gives what is left. */
export async function settled(sql, patience) {
  const until = Date.now() + patience;
  for (;;) {
    const left = {
      payments: await number(sql, "SELECT count(*) FROM payments WHERE payment_status = 'PENDING'"),
      jobs: await number(sql, "SELECT count(*) FROM jobs WHERE attempts > 0"),
    };
    if (!(left.payments + left.jobs) || Date.now() > until) return left;
    await pause(500);
  }
}

/** Everything that does not hold, each in a sentence. */
export async function broken({ people, watchers, gateways, provider, sql }) {
  const wrong = [...people.odd];
  const must = (holds, sentence) => holds || wrong.push(sentence);
  const kept = new Map();
  for (const guest of people.guests) {
    const bookings = await stays(gateways, guest, await people.token(guest));
    for (const booking of bookings) kept.set(booking.id, booking);
    const events = bookings.flatMap(({ events }) => events.map(({ cursor }) => cursor));
    const { seen } = watchers.find((watcher) => watcher.guest === guest);
    const told = new Set([...seen, guest.cursor]);
    const missed = events.filter((cursor) => !told.has(cursor));
    must(new Set(seen).size === seen.length, `${guest.name} was told ${seen.length - new Set(seen).size} events twice`);
    must(missed.length === 0, `${guest.name} missed ${missed.length} of ${events.length} events`);
  }
  for (const { id, checkIn, checkOut } of people.bookings) {
    const found = kept.get(id);
    must(found?.checkIn === checkIn && found?.checkOut === checkOut, `an acknowledged booking is lost: ${id}`);
  }
  must(kept.size === people.bookings.length, `${kept.size} bookings were made for ${people.bookings.length} that were acknowledged`);
  for (const { booking, id, status } of people.payments) {
    const found = kept.get(booking.id);
    must(found?.payment?.id === id, `an acknowledged payment is lost: ${id}`);
    must(found?.payment?.status === "PAID", `a payment that was ${status} is ${found?.payment?.status}`);
    must(found?.status === "CONFIRMED", `a booking that is paid for is ${found?.status}`);
  }
  for (const home of people.homes) {
    for (const only of gateways.all) {
      const { data } = await gateways.graphql(undefined, HOME, { only, from: "10.4.0.1", variables: { id: home.id } });
      const last = edition(home.n, home.acknowledged.at(-1)[0]);
      must(data?.property.title === last, `"${data?.property.title}" is shown, and "${last}" was acknowledged`);
    }
  }
  const late = (list) => list.filter(([, by]) => by > BOUND);
  must(late(people.stale).length === 0, `answers were up to ${most(people.stale)} ms old`);
  must(late(people.letIn).length === 0, `sessions that had ended were let in for up to ${most(people.letIn)} ms`);
  wrong.push(...(await inTables(sql)));
  wrong.push(...(await atProvider(provider, people.payments)));
  return wrong;
}

export const most = (list) => Math.max(0, ...list.map(([, by]) => by));

async function stays(gateways, { from }, token) {
  const all = [];
  for (let after; ; ) {
    const { data, text } = await gateways.graphql(undefined, STAYS, { token, from, variables: { after } });
    if (!data) throw new Error(text);
    const { nodes, pageInfo } = data.viewer.bookings;
    all.push(...nodes);
    if (!pageInfo.hasNextPage) return all;
    after = pageInfo.endCursor;
  }
}

/** Nights, looked at without what the keys of the tables promise. */
async function inTables(sql) {
  const active = "IN ('PENDING', 'CONFIRMED')";
  const twice = `SELECT count(*) FROM bookings one JOIN bookings other ON one.property_id = other.property_id AND one.booking_id < other.booking_id
    AND one.check_in_date < other.check_out_date AND other.check_in_date < one.check_out_date WHERE one.status ${active} AND other.status ${active}`;
  const nights = `SELECT count(*) FROM bookings b WHERE status ${active}
    AND (SELECT count(*) FROM nights n WHERE n.booking_id = b.booking_id AND n.night >= b.check_in_date AND n.night < b.check_out_date) <>
      ${sql[0].includes("psql") ? "b.check_out_date - b.check_in_date" : "julianday(b.check_out_date) - julianday(b.check_in_date)"}`;
  const wrong = [];
  for (const [query, what] of [[twice, "pairs of bookings share a night"], [nights, "bookings do not hold all of their nights"]]) {
    const found = await number(sql, query);
    if (found) wrong.push(`${found} ${what}`);
  }
  return wrong;
}

/** What the provider charged, against what was acknowledged. */
async function atProvider(provider, payments) {
  const list = async (name) => {
    const answer = await fetch(`${provider}/v1/${name}?limit=100000`, { headers: { authorization: "Bearer sk_test_staygate" } });
    return (await answer.json()).data;
  };
  const payment = new Map((await list("payment_intents")).map(({ id, metadata }) => [id, metadata.payment]));
  const charges = new Map();
  for (const { status, payment_intent: intent } of await list("charges")) {
    if (status === "succeeded") charges.set(payment.get(intent), (charges.get(payment.get(intent)) ?? 0) + 1);
  }
  const wrong = [];
  for (const [id, times] of charges) if (times > 1) wrong.push(`payment ${id} was charged ${times} times`);
  for (const { databaseId } of payments) if (!charges.has(String(databaseId))) wrong.push(`payment ${databaseId} was never charged`);
  if (charges.size !== payments.length) wrong.push(`${charges.size} payments were charged for ${payments.length} that were acknowledged`);
  return wrong;
}
