// Who is there while something fails: people who look around, guests who book and pay, hosts who change their homes. Each writes down what was acknowledged, and sends
// again, under the same key, what was not.

import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { politely } from "./gateways.mjs";

const PASSWORD = "a long good password";
const DAY = 86_400_000;
/** Letters alone: digits in a row might be taken for the number of a card. */
const key = () => randomBytes(12).toString("hex").replace(/\d/g, (digit) => "ghijklmnop"[digit]);
const day = (n) => new Date(Math.floor(Date.now() / DAY) * DAY + n * DAY).toISOString().slice(0, 10);
const below = (n) => Math.floor(Math.random() * n);

const SIGN_UP = `mutation ($input: SignUpInput!) { signUp(input: $input) { accessToken userErrors { code message } } }`;
const SIGN_IN = `mutation ($input: SignInInput!) { signIn(input: $input) { accessToken userErrors { code } } }`;
const BECOME_HOST = `mutation { becomeHost { userErrors { code } } }`;
const LIST = `mutation ($input: CreatePropertyInput!) { createProperty(input: $input) { property { id databaseId } userErrors { code message } } }`;
const BOOK = `mutation ($input: CreateBookingInput!) { createBooking(input: $input) { booking { id databaseId events { cursor } } userErrors { code message } } }`;
const PAY = `mutation ($input: CreatePaymentInput!) { createPayment(input: $input) { payment { id databaseId status } userErrors { code message } } }`;
const SEARCH = `query ($words: String) { properties(filter: { location: $words }, first: 5) { nodes { id title pricePerNight { amount } } } }`;
export const HOME = `query ($id: ID!) { property(id: $id) { title location averageRating host { fullName } } }`;
const MINE = `{ viewer { email bookings(first: 5) { nodes { id status checkIn property { title } } } } }`;

export class People {
  constructor(gateways, { homes, guests }) {
    this.gateways = gateways;
    this.size = { homes, guests };
    this.homes = [];
    this.guests = [];
    this.bookings = [];
    this.payments = [];
    /** What nobody should have been told. */
    this.odd = [];
    /** How much later than its acknowledgement an answer still showed what was there before, and a session that had ended was let in: [when, by how much]. */
    this.stale = [];
    this.letIn = [];
    this.over = false;
    this.pending = new Set();
  }

  /** Everybody who is to be there before it begins. */
  async arrive() {
    for (let n = 0; n < this.size.homes; n++) {
      const host = await this.#signUp(`host${n}`, `10.1.0.${n + 1}`);
      await this.#must(BECOME_HOST, host);
      const input = { title: edition(n, 0), description: "A room that is there to be booked.", location: "Lisbon, Portugal", pricePerNight: "50.00", maxGuests: 4 };
      const { createProperty } = await this.#must(LIST, host, { input });
      this.homes.push({ n, host, ...createProperty.property, acknowledged: [[0, Date.now()]] });
    }
    for (let n = 0; n < this.size.guests; n++) {
      const guest = await this.#signUp(`guest${n}`, `10.2.0.${n + 1}`);
      // Its event is where the watcher begins.
      const input = { propertyId: this.homes[n % this.homes.length].id, checkIn: day(400 + n), checkOut: day(401 + n), idempotencyKey: key() };
      const { createBooking } = await this.#must(BOOK, guest, { input });
      guest.cursor = createBooking.booking.events[0].cursor;
      this.bookings.push({ guest, ...createBooking.booking, checkIn: input.checkIn, checkOut: input.checkOut });
      this.guests.push(guest);
    }
  }

  async #signUp(name, from) {
    const input = { fullName: name, email: `${name}@example.com`, password: PASSWORD };
    const { signUp } = await this.#must(SIGN_UP, { from }, { input });
    return { name, from, token: signUp.accessToken, since: Date.now() };
  }

  async #must(query, { token, from }, variables) {
    const { data, text } = await this.gateways.graphql(undefined, query, { variables, token, from });
    const mistakes = Object.values(data ?? {}).flatMap((payload) => payload?.userErrors ?? []);
    if (!data || mistakes.length) throw new Error(`${query}: ${text}`);
    return data;
  }

  /** Until `over`: so many a second begin something, whether or not others have their answers. */
  begin({ looks, reads, edits, bookings, signOuts }) {
    this.#each(looks, (n) => this.#looksAround(n));
    this.#each(reads, (n) => this.#reads(this.guests[n % this.guests.length]));
    this.#each(bookings, (n) => this.#books(this.guests[n % this.guests.length]));
    this.#each(signOuts, (n) => this.#signsOut(n));
    // One after the other, each home by one host.
    for (const home of this.homes) this.#keep(this.#edits(home, (1000 * this.homes.length) / edits));
  }

  #keep(task) {
    const kept = task.catch((error) => this.odd.push(`the drill itself: ${error.stack}`)).finally(() => this.pending.delete(kept));
    this.pending.add(kept);
  }

  #each(aSecond, begin) {
    if (!aSecond) return;
    let n = 0;
    const ticking = setInterval(() => {
      if (this.over) clearInterval(ticking);
      else this.#keep(begin(n++));
    }, 1000 / aSecond);
  }

  /** Lets go on what was begun, until all of it was acknowledged. Gives how much was not. */
  async finish(patience) {
    this.over = true;
    await Promise.race([Promise.all(this.pending), pause(patience, undefined, { ref: false })]);
    return this.pending.size;
  }

  // ---------------------------------------------------------------- who looks around

  async #looksAround(n) {
    const from = `10.3.${below(200)}.${below(200)}`;
    const home = this.homes[below(this.homes.length)];
    if (n % 4 === 0) await this.gateways.graphql("look", SEARCH, { from, variables: { words: ["lisbon", "porto"][n % 2] } });
    else if (n % 4 === 1) await this.gateways.graphql("look", SEARCH, { from, variables: { words: `nowhere ${n}` } });
    else if (n % 4 === 2) await this.gateways.ask("look", "/api/v1/properties/", { from });
    else {
      const { data, began } = await this.gateways.graphql("look", HOME, { from, variables: { id: home.id } });
      if (data?.property) this.#compare(home, data.property.title, began);
    }
  }

  /** Whether what was acknowledged before a request is in its answer. */
  #compare(home, title, began) {
    const shown = Number(title.split(" ").at(-1));
    const later = home.acknowledged.find(([n, at]) => n > shown && at < began);
    if (later) this.stale.push([began, began - later[1]]);
  }

  async #reads({ token, from }) {
    await this.gateways.graphql("read", MINE, { token, from });
  }

  // ---------------------------------------------------------------- who writes

  /** Sends it until it was done or refused. */
  async #until(kind, guest, query, input) {
    for (;;) {
      const answer = await this.gateways.graphql(kind, query, { token: guest.token, from: guest.from, variables: { input } });
      const payload = Object.values(answer.data ?? {})[0];
      // Where a part of the answer could not be had, it is asked for once more.
      if (payload && !answer.json.errors) return payload;
      if (answer.outcome === "ok") throw new Error(answer.text);
      await politely(answer);
    }
  }

  async #books(guest) {
    const home = this.homes[below(this.homes.length)];
    const [checkIn, nights] = [1 + below(365), 1 + below(3)];
    const input = { propertyId: home.id, checkIn: day(checkIn), checkOut: day(checkIn + nights), idempotencyKey: key() };
    const { booking, userErrors } = await this.#until("book", guest, BOOK, input);
    if (!booking) {
      if (userErrors[0].code !== "DATES_UNAVAILABLE") this.odd.push(`a booking: ${JSON.stringify(userErrors)}`);
      return;
    }
    const made = { guest, ...booking, checkIn: input.checkIn, checkOut: input.checkOut };
    this.bookings.push(made);
    if (below(10) < 2) return;
    const payment = { bookingId: booking.id, method: "CARD", paymentToken: "pm_card_visa", idempotencyKey: key() };
    const paid = await this.#until("pay", guest, PAY, payment);
    if (paid.payment) this.payments.push({ booking: made, ...paid.payment });
    else this.odd.push(`a payment: ${JSON.stringify(paid.userErrors)}`);
  }

  /** Each edit is of the version that was read, so that one which nobody heard of any more can't undo a later one. */
  async #edits(home, every) {
    const path = `/api/v1/properties/${home.databaseId}/`;
    const { token, from } = home.host;
    await pause(Math.random() * every);
    for (let n = 1; !this.over; n++) {
      const title = edition(home.n, n);
      for (;;) {
        const read = await this.gateways.ask("read", path, { token, from });
        if (read.json?.title === title) break;
        if (read.status === 200) {
          const headers = { "if-match": read.headers.etag };
          const written = await this.gateways.ask("edit", path, { method: "PATCH", body: { title }, headers, token, from });
          if (written.status === 200) break;
          // One's own was done after all, and not acknowledged: there is nobody else.
          if (written.status === 412) continue;
          if (written.outcome === "ok") throw new Error(written.text);
          await politely(written);
        } else await politely(read);
      }
      home.acknowledged.push([n, Date.now()]);
      await pause(every);
    }
  }

  /** Somebody signs out at one gateway, and goes on trying at the others. */
  async #signsOut(n) {
    const { from, name } = this.guests[n % this.guests.length];
    const input = { email: `${name}@example.com`, password: PASSWORD };
    const signedIn = await this.gateways.graphql("sign in", SIGN_IN, { from, variables: { input } });
    const token = signedIn.data?.signIn?.accessToken;
    if (!token) return;
    const left = await this.gateways.graphql("sign out", "mutation { signOut { userErrors { code } } }", { from, token });
    if (!left.data) return;
    const at = Date.now();
    while (Date.now() - at < 1500) {
      for (const only of this.gateways.all) {
        const { status, began } = await this.gateways.graphql(undefined, "{ viewer { email } }", { from, token, only });
        if (status === 200) this.letIn.push([began, began - at]);
      }
      await pause(25);
    }
  }

  /** A token of somebody's that is good for some minutes more. */
  async token(person) {
    if (Date.now() - person.since > 200_000) {
      const input = { email: `${person.name}@example.com`, password: PASSWORD };
      const { signIn } = await this.#must(SIGN_IN, person, { input });
      Object.assign(person, { token: signIn.accessToken, since: Date.now() });
    }
    return person.token;
  }
}

export const edition = (home, n) => `Home ${home} in its edition ${n}`;
