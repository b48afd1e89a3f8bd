// A single-page app's session in a real browser, its refresh token in a cookie, against a server that runs on demo data:
//
//     node session.mjs <base URL>
//
// CHROMIUM names the browser; without it, the first one in PATH is taken. Exits with 0 only if all held.

import { launch } from "./browser.mjs";
import { check, expect, finish } from "../checks.mjs";

const [base] = process.argv.slice(2);
if (!base) {
  console.error("usage: node session.mjs <base URL>");
  process.exit(2);
}
// Browsers take this name for a place as safe as TLS; another site on the same machine is `127.0.0.1`.
const { port } = new URL(base);
const home = `http://localhost:${port}`;
const elsewhere = `http://127.0.0.1:${port}`;
const COOKIE = "__Host-staygate-refresh";
const SIGN_IN = `mutation { signIn(input: { email: "guest@example.com", password: "demo-password", keepInCookie: true }) {
  accessToken refreshToken userErrors { code } } }`;
const REFRESH = "mutation { refreshSession(input: {}) { accessToken refreshToken viewer { email } } }";

const browser = await launch("localhost", "127.0.0.1");
const context = await browser.newContext();

async function open(origin) {
  const page = await context.newPage();
  await page.goto(`${origin}/`);
  return page;
}

/** Asks as a script of the page would. */
const ask = (page, query, { url = `${home}/graphql`, token } = {}) =>
  page.evaluate(
    async ([url, query, token]) => {
      const headers = { "content-type": "application/json", ...(token && { authorization: `Bearer ${token}` }) };
      const answer = await fetch(url, { method: "POST", credentials: "include", headers, body: JSON.stringify({ query }) });
      return answer.json();
    },
    [url, query, token],
  );

const code = (answer) => answer.errors?.[0]?.extensions?.code;
const kept = async () => (await context.cookies(home)).find(({ name }) => name === COOKIE);

const page = await open(home);
let token;

await check("a sign-in that keeps its refresh token in a cookie shows it to no script", async () => {
  const { data } = await ask(page, SIGN_IN);
  expect(data.signIn.accessToken && data.signIn.refreshToken === null, data);
  const cookie = await kept();
  expect(cookie?.httpOnly && cookie.secure && cookie.sameSite === "Strict" && cookie.path === "/", cookie ?? "no cookie");
  const seen = await page.evaluate(() => document.cookie);
  expect(seen === "", seen);
});

await check("a page that is loaded anew is signed in by the cookie alone", async () => {
  await page.reload();
  const before = (await kept()).value;
  const { data } = await ask(page, REFRESH);
  expect(data.refreshSession.viewer.email === "guest@example.com" && data.refreshSession.refreshToken === null, data);
  expect((await kept()).value !== before, "the cookie is the same");
  token = data.refreshSession.accessToken;
});

await check("two tabs that refresh at once both stay signed in", async () => {
  const other = await open(home);
  const both = await Promise.all([ask(page, REFRESH), ask(other, REFRESH)]);
  for (const { data } of both) {
    expect(data?.refreshSession.accessToken, both);
  }
  const { data } = await ask(other, REFRESH);
  expect(data?.refreshSession.accessToken, "the session has ended");
  token = data.refreshSession.accessToken;
});

await check("a page of another site does not get to use the cookie", async () => {
  const stranger = await open(elsewhere);
  const answer = await ask(stranger, REFRESH).catch((error) => ({ blocked: String(error) }));
  expect(answer.blocked || code(answer) === "UNAUTHENTICATED", answer);
  const { data } = await ask(page, REFRESH);
  expect(data?.refreshSession.accessToken, "the session has ended");
  token = data.refreshSession.accessToken;
});

await check("signing out takes the cookie away", async () => {
  const { data } = await ask(page, "mutation { signOut { userErrors { code } } }", { token });
  expect(data.signOut.userErrors.length === 0, data);
  expect((await kept()) === undefined, "the cookie is still there");
  expect(code(await ask(page, REFRESH)) === "UNAUTHENTICATED", "still signed in");
});

await browser.close();
finish();
