// Sends several operations in one request, with Apollo Client's link of batches, to a server on demo data:
//
//     node batches.mjs <base URL> <base URL that is not asked>
//
// Exits with 0 only if all held.

import { ApolloClient, CombinedGraphQLErrors, InMemoryCache, gql } from "@apollo/client";
import { BatchHttpLink } from "@apollo/client/link/batch-http";
import { check, expect, finish, same } from "../checks.mjs";
import { ask, graphql, refusalOf, send } from "./client.mjs";
import { HOME, NOBODY, a, signUp } from "./moves.mjs";
import * as operations from "./operations.mjs";
import { wire } from "./wire.mjs";

const TITLE = "query Title($id: ID!) { property(id: $id) { id title } }";
const BAD = { status: 400, codes: ["BAD_USER_INPUT"] };
const TOO_LONG = { status: 400, codes: ["QUERY_TOO_COMPLEX"] };

/** So many operations that can be told from each other by their answers. */
const numbered = (count) => Array.from({ length: count }, (_, n) => ({ query: `{ number${n}: __typename }` }));

const codesOf = ({ errors }) => (errors ?? []).map(({ extensions }) => extensions?.code);

// ---------------------------------------------------------------- by the link

await check("three operations of an application go in one request, and each gets its own answer", async () => {
  const { sent, fetch } = wire();
  const client = new ApolloClient({
    link: new BatchHttpLink({ uri: graphql(a), fetch, batchInterval: 20 }),
    cache: new InMemoryCache(),
  });
  const [good, wrong, mutation] = await Promise.allSettled([
    client.query({ query: gql(TITLE), variables: { id: HOME } }),
    client.query({ query: gql("query Size { viewer { shoeSize } }") }),
    client.mutate({ mutation: gql(operations.SIGN_IN), variables: { input: NOBODY } }),
  ]);
  same("the query", good.value?.data.property.id, HOME);
  expect(CombinedGraphQLErrors.is(wrong.reason), `the wrong one: ${wrong.reason}`);
  same("the wrong one", codesOf(wrong.reason), ["BAD_USER_INPUT"]);
  same("the mutation", mutation.value?.data.signIn.userErrors.map(({ code }) => code), ["WRONG_CREDENTIALS"]);
  same("what was sent", sent.map(({ body, status }) => [body.length, status]), [[3, 200]]);
});

await check("the token of the request is that of all its operations", async () => {
  const guest = await signUp("GUEST");
  const { answer } = await send(a, JSON.stringify([{ query: operations.VIEWER }, { query: operations.VIEWER }]), guest.token);
  same("the viewers", answer.map(({ data }) => data.viewer.email), [guest.email, guest.email]);
});

// ---------------------------------------------------------------- by the letter

await check("ten operations are answered in their order", async () => {
  const { status, answer } = await send(a, JSON.stringify(numbered(10)));
  same("the status", status, 200);
  same("the answers", answer, numbered(10).map((_, n) => ({ data: { [`number${n}`]: "Query" } })));
});

await check("one that fails in a field has its data beside its error", async () => {
  const query = `{ booking(id: "${HOME}") { id } property(id: "${HOME}") { id } }`;
  const { answer } = await send(a, JSON.stringify([{ query }, ...numbered(1)]));
  same("the failed one", [codesOf(answer[0]), answer[0].data], [["BAD_USER_INPUT"], { booking: null, property: { id: HOME } }]);
  same("the other one", answer[1], { data: { number0: "Query" } });
});

await check("eleven are refused as a whole, with nothing done", async () => {
  const guest = await signUp("GUEST");
  const rename = { query: 'mutation { updateProfile(input: { fullName: "Somebody Else" }) { userErrors { code } } }' };
  same("the refusal", await refusalOf(JSON.stringify([rename, ...numbered(10)]), a, guest.token), TOO_LONG);
  const { viewer } = await ask(a, "{ viewer { user { fullName } } }", {}, guest.token);
  same("the name", viewer.user.fullName, "Robin Example");
});

await check("an empty batch is a bad request", async () => {
  same("the refusal", await refusalOf("[]", a), BAD);
});

await check("a subscription in a batch is refused, and it alone", async () => {
  const subscription = { query: operations.AVAILABILITY_CHANGED, variables: { propertyId: HOME } };
  const [first, second] = numbered(2);
  const { answer } = await send(a, JSON.stringify([first, subscription, second]));
  same("codes", answer.map(codesOf), [[], ["BAD_USER_INPUT"], []]);
  same("the data", answer.map(({ data }) => data ?? null), [{ number0: "Query" }, null, { number1: "Query" }]);
});

finish();
