// Counts what holds, one line a check.

import { isDeepStrictEqual } from "node:util";

let passed = 0;
let failed = 0;

export async function check(sentence, body) {
  try {
    await body();
    passed += 1;
    console.log(`ok - ${sentence}`);
  } catch (error) {
    failed += 1;
    console.log(`not ok - ${sentence}\n${explain(error).replace(/^/gm, "    ")}`);
  }
}

function explain(error) {
  const message = String(error?.message ?? error);
  if (error?.cause) {
    return `${message}: ${explain(error.cause)}`;
  }
  // Checks build on what earlier ones made.
  return error instanceof TypeError ? `something that this needs is not there: ${message}` : message;
}

export function expect(condition, explanation) {
  if (!condition) {
    throw new Error(typeof explanation === "string" ? explanation : JSON.stringify(explanation, null, 2));
  }
}

export function same(what, actual, expected) {
  expect(
    isDeepStrictEqual(actual, expected),
    `${what}:\nexpected ${JSON.stringify(expected)}\n     got ${JSON.stringify(actual)}`,
  );
}

/** Says how it went and ends the process: with 0 only if all held. */
export function finish() {
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}
