// Walks through the front page and the Playground in a real browser, as a newcomer would, against a
// server that runs on demo data:
//
//     node playground.mjs <base URL> [screenshot.png]
//
// CHROMIUM names the browser; without it, the first one in PATH is taken. Exits with 0 only if all held.

import { launch, overhear } from "./browser.mjs";
import { check, expect, finish } from "../checks.mjs";

const TIMEOUT = 15_000;

const [base, screenshot] = process.argv.slice(2);
if (!base) {
  console.error("usage: node playground.mjs <base URL> [screenshot.png]");
  process.exit(2);
}
const server = new URL(base);

const browser = await launch(server.hostname);
const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: "light" });
context.setDefaultTimeout(TIMEOUT);

const { complaints, strangers } = overhear(context, server);
context.on("page", (page) =>
  page.on("websocket", (socket) =>
    socket.on("framesent", ({ payload }) => {
      if (String(payload).includes('"type":"subscribe"')) {
        page.emit("staygate:subscribed", socket);
      }
    }),
  ),
);

// ---------------------------------------------------------------- what one does in the Playground

async function openPlayground() {
  const page = await context.newPage();
  await page.goto(new URL("/playground", server).href);
  await page.locator(".graphiql-execute-button").waitFor();
  return page;
}

async function openExample(page, name) {
  // A page in the background draws seldom, and every click waits for it to draw.
  await page.bringToFront();
  await page.locator(`#examples [data-example="${name}"]`).click();
  await page.locator(".graphiql-tab-active").getByText(name, { exact: true }).waitFor();
}

async function start(page, name) {
  await openExample(page, name);
  await page.getByRole("button", { name: "Execute query (Ctrl-Enter)" }).click();
}

/** What the answer's pane shows, once it is JSON that has every one of these texts. */
async function answer(page, ...texts) {
  const read = (expected) => {
    const text = document.querySelector(".result-window .CodeMirror").CodeMirror.getValue();
    try {
      return expected.every((part) => text.includes(part)) && JSON.parse(text);
    } catch {
      return false;
    }
  };
  const shown = await page.waitForFunction(read, texts, { polling: 50 });
  return shown.jsonValue();
}

async function run(page, name) {
  await start(page, name);
  const result = await answer(page);
  expect(!result.errors, result);
  return result.data;
}

const variablesOf = (page) =>
  page.evaluate(() => document.querySelector('[aria-label="Variables"] .CodeMirror').CodeMirror.getValue());

// ---------------------------------------------------------------- the walk

const front = await context.newPage();
await check("the front page shows where to go", async () => {
  const response = await front.goto(new URL("/", server).href);
  expect(response.status() === 200, `status ${response.status()}`);
  await front.getByRole("heading", { name: "Staygate" }).waitFor();
  await front.getByRole("link", { name: "/schema.graphql" }).waitFor();
  await front.getByText("guest@example.com").waitFor();
  await front.getByRole("link", { name: "Playground" }).click();
  await front.waitForURL("**/playground");
});
await front.close();

let page;
await check("the Playground opens", async () => {
  page = await openPlayground();
});

await check("Search finds properties", async () => {
  const { properties } = await run(page, "Search");
  expect(properties.nodes.length > 0, properties);
});

await check("Detail shows a property", async () => {
  const { property } = await run(page, "Detail");
  expect(property?.title, property);
});

await check("Calendar & quote prices a stay", async () => {
  const { property } = await run(page, "CalendarAndQuote");
  expect(property?.calendar.length > 0 && property.quote.nights === 3, property);
});

await check("Sign in signs in", async () => {
  const { signIn } = await run(page, "SignIn");
  expect(signIn.userErrors.length === 0, signIn);
  await page.locator("#session").getByText("signed in as guest@example.com").waitFor();
});

// GraphiQL ends a subscription when its tab is left, so the one that runs on has a page of its own.
let watcher;
await check("Watch starts", async () => {
  watcher = await openPlayground();
  await run(watcher, "SignIn");
  const subscribed = watcher.waitForEvent("staygate:subscribed");
  await start(watcher, "Watch");
  await subscribed;
});

let booking;
await check("Book holds the nights", async () => {
  // Someone may hold the nights that the page picked; each further click on Book picks others.
  let payload;
  for (let attempt = 0; attempt < 5; attempt += 1) {
    ({ createBooking: payload } = await run(page, "Book"));
    if (!payload.userErrors.some(({ code }) => code === "DATES_UNAVAILABLE")) {
      break;
    }
  }
  booking = payload.booking;
  expect(booking?.status === "PENDING", payload);
});

await check("Watch receives that it is pending", async () => {
  const { data } = await answer(watcher, booking.id, "PENDING");
  const event = data.viewerBookingStatusChanged;
  expect(event.from === null && event.to === "PENDING" && event.cursor && event.at, event);
});

await check("Pay has the booking filled in, and pays for it", async () => {
  await openExample(page, "Pay");
  const { input } = JSON.parse(await variablesOf(page));
  expect(input.bookingId === booking.id, input);
  const { createPayment } = await run(page, "Pay");
  expect(createPayment.userErrors.length === 0 && createPayment.payment, createPayment);
});

await check("Watch receives that it is confirmed", async () => {
  const { data } = await answer(watcher, booking.id, "CONFIRMED");
  const event = data.viewerBookingStatusChanged;
  expect(event.from === "PENDING" && event.to === "CONFIRMED" && event.booking.id === booking.id, event);
});

await check("Watch, started late, is told what it missed", async () => {
  await start(page, "Watch");
  const { data } = await answer(page, booking.id, "CONFIRMED");
  expect(data.viewerBookingStatusChanged.to === "CONFIRMED", data);
});

await check("My bookings has the booking", async () => {
  const { viewer } = await run(page, "MyBookings");
  const found = viewer.bookings.nodes.find(({ id }) => id === booking.id);
  expect(found?.status === "CONFIRMED", viewer);
});

await check("the documentation shows the Query type", async () => {
  await page.getByRole("button", { name: "Show Documentation Explorer" }).click();
  const documentation = page.locator(".graphiql-doc-explorer");
  await documentation.getByRole("link", { name: "Query", exact: true }).click();
  await documentation.getByRole("link", { name: "properties", exact: true }).waitFor();
  await page.getByRole("button", { name: "Hide Documentation Explorer" }).click();
});

if (screenshot) {
  await check("a picture of Search with its answer is taken", async () => {
    await run(page, "Search");
    await page.locator(".graphiql-spinner").waitFor({ state: "detached" });
    await page.evaluate(() => document.fonts.ready);
    await page.mouse.move(0, 899);
    await page.screenshot({ path: screenshot, animations: "disabled", caret: "hide" });
  });
}

await check("signing out ends the session", async () => {
  await page.getByRole("button", { name: "sign out" }).click();
  await page.locator("#session").getByText("signed out").waitFor();
  const { viewer } = await run(page, "MyBookings");
  expect(viewer === null, viewer);
});

await check("the pages ask no other host for anything", () => expect(strangers.length === 0, strangers));
await check("the console has no error", () => expect(complaints.length === 0, complaints));

await browser.close();
finish();
