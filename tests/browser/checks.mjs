// Checks that are sentences, counted.

let passed = 0;
let failed = 0;

/** Holds when its body does not throw. */
export async function check(sentence, body) {
  try {
    await body();
    passed += 1;
    console.log(`ok - ${sentence}`);
  } catch (error) {
    failed += 1;
    console.log(`not ok - ${sentence}\n${String(error?.message ?? error).replace(/^/gm, "    ")}`);
  }
}

export function expect(condition, explanation) {
  if (!condition) {
    throw new Error(typeof explanation === "string" ? explanation : JSON.stringify(explanation, null, 2));
  }
}

/** Says how it went, and ends the process with 0 only if all held. */
export function finish() {
  console.log(`${passed} passed, ${failed} failed`);
  process.exit(failed === 0 ? 0 : 1);
}
