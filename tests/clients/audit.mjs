// Holds a server to GraphQL over HTTP with the audit that graphql-http keeps of its specification:
//
//     node audit.mjs <base URL> <base URL that is not asked>
//
// Exits with 0 only if all held.

import { serverAudits } from "graphql-http";
import { check, expect, finish } from "../checks.mjs";
import { graphql } from "./client.mjs";
import { a } from "./moves.mjs";

for (const { id, name, fn } of serverAudits({ url: graphql(a) })) {
  // What SHOULD and MAY be holds as well.
  await check(`${name} (${id})`, async () => {
    const { status, reason } = await fn();
    expect(status === "ok", `${status}: ${reason}`);
  });
}

finish();
