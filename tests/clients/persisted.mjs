// Sends queries by their hashes, with Apollo Client's link of automatic persisted queries, to a server on demo data:
//
//     node persisted.mjs <base URL> <base URL that is not asked>
//
// Exits with 0 only if all held.

import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from "@apollo/client";
import { PersistedQueryLink } from "@apollo/client/link/persisted-queries";
import { createHash, randomUUID } from "node:crypto";
import { check, expect, finish, same } from "../checks.mjs";
import { PATIENCE, graphql, send } from "./client.mjs";
import { HOME, a } from "./moves.mjs";
import { wire } from "./wire.mjs";

const sha256 = (text) => createHash("sha256").update(text).digest("hex");

/** An operation that no server has seen: what is known stays known, also of an earlier run. */
const unseen = (operation) => operation.replace("Unseen", `Unseen${randomUUID().replaceAll("-", "")}`);
const TITLE = "query Unseen($id: ID!) { property(id: $id) { title } }";

// ---------------------------------------------------------------- by the link

/** A client that has just begun: it knows of no hash whether the server has it. */
function application(useGETForHashedQueries) {
  const { sent, fetch } = wire();
  const persisted = new PersistedQueryLink({ sha256, useGETForHashedQueries });
  const client = new ApolloClient({
    link: ApolloLink.from([persisted, new HttpLink({ uri: graphql(a), fetch })]),
    cache: new InMemoryCache(),
  });
  const query = async (text) =>
    (await client.query({ query: gql(text), variables: { id: HOME }, fetchPolicy: "no-cache" })).data.property.title;
  return { query, sent };
}

/** The method of each request, and which of hash and text it had. */
function shape({ method, url, body }) {
  const { searchParams } = new URL(url);
  const has = (name) => (body ? name in body : searchParams.has(name));
  const extensions = body ? body.extensions : JSON.parse(searchParams.get("extensions") ?? "{}");
  return [method, ...(extensions?.persistedQuery ? ["hash"] : []), ...(has("query") ? ["text"] : [])].join(" ");
}

for (const [method, useGETForHashedQueries] of [["POST", false], ["GET", true]]) {
  await check(`a query goes by its hash, then with its text, and from then on by its hash alone, by ${method}`, async () => {
    const text = unseen(TITLE);
    const one = application(useGETForHashedQueries);
    const title = await one.query(text);
    expect(title, "there is no title");
    same("once more", await one.query(text), title);
    same("what was sent", one.sent.map(shape), [`${method} hash`, "POST hash text", `${method} hash`]);
    const two = application(useGETForHashedQueries);
    same("from another client", await two.query(text), title);
    same("what it sent", two.sent.map(shape), [`${method} hash`]);
    same("the answers", [...one.sent.slice(1), ...two.sent].map(({ status }) => status), [200, 200, 200]);
  });
}

// ---------------------------------------------------------------- by the letter

const byHash = (text, rest) => JSON.stringify({
  extensions: { persistedQuery: { version: 1, sha256Hash: sha256(text) } }, variables: { id: HOME }, ...rest,
});
const codes = ({ answer }) => answer.errors?.map(({ extensions }) => extensions?.code);

async function isUnknown(text) {
  const { answer } = await send(a, byHash(text));
  same("the errors", answer.errors?.map(({ message, extensions }) => [message, extensions?.code]), [
    ["PersistedQueryNotFound", "PERSISTED_QUERY_NOT_FOUND"],
  ]);
  same("the data", answer.data ?? null, null);
}

await check("a hash that nobody has sent a text for is PERSISTED_QUERY_NOT_FOUND", () => isUnknown(unseen(TITLE)));

await check("a text with the hash of another one is refused, and not kept", async () => {
  const [text, other] = [unseen(TITLE), unseen(TITLE)];
  const refused = await send(a, byHash(other, { query: text }));
  same("the refusal", [refused.status, codes(refused)], [400, ["BAD_USER_INPUT"]]);
  await isUnknown(text);
  await isUnknown(other);
});

await check("a mutation that is known by its hash runs by POST alone", async () => {
  const text = unseen("mutation Unseen { signOut { userErrors { code } } }");
  const variables = {};
  await send(a, byHash(text, { query: text, variables }));
  same("by POST", codes(await send(a, byHash(text, { variables }))), ["UNAUTHENTICATED"]);
  const url = new URL(graphql(a));
  url.searchParams.set("extensions", JSON.stringify(JSON.parse(byHash(text)).extensions));
  const { status } = await fetch(url, { signal: AbortSignal.timeout(PATIENCE) });
  same("the status by GET", status, 405);
});

finish();
