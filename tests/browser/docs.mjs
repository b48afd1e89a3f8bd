// Reads the documentation of REST in a real browser and runs operations in it, as somebody would who writes a client, against a
// server that runs on demo data:
//
//     node docs.mjs <base URL> [screenshot.png]
//
// CHROMIUM names the browser; without it, the first one in PATH is taken. Exits with 0 only if all held.

import { launch, overhear } from "./browser.mjs";
import { check, expect, finish, same } from "../checks.mjs";

const TIMEOUT = 15_000;

const [base, screenshot] = process.argv.slice(2);
if (!base) {
  console.error("usage: node docs.mjs <base URL> [screenshot.png]");
  process.exit(2);
}
const server = new URL(base);

const browser = await launch(server.hostname);
const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, colorScheme: "light" });
context.setDefaultTimeout(TIMEOUT);
const { complaints, strangers } = overhear(context, server);

// ---------------------------------------------------------------- what one does in the documentation

const operation = (page, tag, name) => page.locator(`#operations-${tag}-${name}`);

/** Opens an operation, if it is not open. */
async function open(page, tag, name) {
  const shown = operation(page, tag, name);
  const control = shown.locator(".opblock-summary-control");
  if ((await control.getAttribute("aria-expanded")) !== "true") {
    await control.click();
  }
  await shown.getByRole("button", { name: "Execute" }).waitFor();
  return shown;
}

/** Runs an open operation. Gives the status and the body that are shown. */
async function execute(page, shown) {
  const isAnswer = (response) => new URL(response.url()).pathname.startsWith("/api/v1/");
  const [answered] = await Promise.all([
    page.waitForResponse(isAnswer),
    shown.getByRole("button", { name: "Execute" }).click(),
  ]);
  const answer = shown.locator(".live-responses-table .response");
  const status = answered.status();
  await answer.locator(".response-col_status").getByText(String(status)).waitFor();
  const body = await answer.locator("code.language-json").innerText();
  return { status, body: JSON.parse(body) };
}

// ---------------------------------------------------------------- the reading

const page = await context.newPage();
await check("the front page leads to the documentation", async () => {
  await page.goto(server.href);
  await page.getByRole("link", { name: "documentation" }).click();
  await page.waitForURL("**/docs");
  await page.getByRole("heading", { name: "Staygate" }).waitFor();
});

await check("it has every operation of every tag", async () => {
  const answer = await context.request.get(new URL("/api/v1/openapi.json", server).href);
  const { tags, paths } = await answer.json();
  const described = Object.values(paths)
    .flatMap((path) => Object.values(path))
    .filter(({ operationId }) => operationId)
    .map(({ operationId, tags: [tag] }) => `operations-${tag}-${operationId}`);
  await page.locator(".opblock").nth(described.length - 1).waitFor();
  const shown = await page.locator(".opblock").evaluateAll((operations) => operations.map(({ id }) => id));
  same("operations", shown.toSorted(), described.toSorted());
  const sections = await page.locator(".opblock-tag").evaluateAll((all) => all.map(({ dataset }) => dataset.tag));
  same("tags", sections, tags.map(({ name }) => name));
});

if (screenshot) {
  await check("a picture of it is taken", async () => {
    await page.evaluate(() => document.fonts.ready);
    await page.screenshot({ path: screenshot, animations: "disabled", caret: "hide" });
  });
}

// ---------------------------------------------------------------- the trying out

let token;
await check("POST /sessions/ is run as it stands there, and signs the demo guest in", async () => {
  const signIn = await open(page, "sessions", "signIn");
  const filled = JSON.parse(await signIn.locator("textarea.body-param__text").inputValue());
  same("the example", filled, { email: "guest@example.com", password: "demo-password" });
  const { status, body } = await execute(page, signIn);
  same("status", status, 201);
  same("who is signed in", body.user.account.email, filled.email);
  token = body.accessToken;
});

await check("GET /users/me/ is refused before the token is given", async () => {
  const { status, body } = await execute(page, await open(page, "users", "showOwnUser"));
  same("the problem", [status, body.code], [401, "UNAUTHENTICATED"]);
});

await check("with the token in Authorize it shows the person", async () => {
  await page.locator(".auth-wrapper > .btn.authorize").click();
  const dialog = page.locator(".dialog-ux");
  await dialog.getByRole("textbox").fill(token);
  await dialog.getByRole("button", { name: "Apply credentials" }).click();
  await dialog.getByRole("button", { name: "Close" }).click();
  const { status, body } = await execute(page, await open(page, "users", "showOwnUser"));
  same("the person", [status, body.account?.email, body.role], [200, "guest@example.com", "GUEST"]);
});

await check("a search is run as it stands there, with each example beside its parameter", async () => {
  const search = await open(page, "properties", "listProperties");
  await search.getByText("river view").waitFor();
  const { status, body } = await execute(page, search);
  same("how many are found", [status, body.items.length, body.previous], [200, 20, null]);
});

await check("a request that can't be understood shows the problem document", async () => {
  const signIn = await open(page, "sessions", "signIn");
  await signIn.locator("textarea.body-param__text").fill('{ "email": "guest@example.com" }');
  const { status, body } = await execute(page, signIn);
  same("the problem", [status, body.status, body.code, body.errors.map(({ field, code }) => [field, code])], [
    400, 400, "BAD_USER_INPUT", [[["password"], "REQUIRED"]],
  ]);
});

await check("the token is forgotten when the page is loaded anew", async () => {
  await page.reload();
  await page.locator(".auth-wrapper > .btn.authorize.unlocked").waitFor();
  const kept = await page.evaluate(() => localStorage.length + sessionStorage.length);
  same("what the browser keeps", kept, 0);
});

await check("a link to an operation opens it, in dark colours for who prefers them", async () => {
  const reader = await context.newPage();
  await reader.emulateMedia({ colorScheme: "dark" });
  await reader.goto(new URL("/docs#/bookings/createBooking", server).href);
  await operation(reader, "bookings", "createBooking").getByRole("button", { name: "Execute" }).waitFor();
  const lightness = await reader.evaluate(() => {
    const [red, green, blue] = getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number);
    return red + green + blue;
  });
  expect(lightness < 200, `the background's channels sum up to ${lightness}`);
  if (screenshot) {
    await reader.screenshot({ path: screenshot.replace(/\.png$/, "-dark.png"), animations: "disabled", caret: "hide" });
  }
  await reader.close();
});

await check("the page asks no other host for anything", () => expect(strangers.length === 0, strangers));
await check("the console has no error but the two requests that were refused", () => {
  const refused = complaints.filter((text) => /^Failed to load resource: .* status of (400|401) /.test(text));
  same("errors", complaints.filter((text) => !refused.includes(text)), []);
  same("refused requests", refused.length, 2);
});

await browser.close();
finish();
