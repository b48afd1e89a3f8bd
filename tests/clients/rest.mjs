// Uses the marketplace over REST as an application does whose types openapi-typescript makes of the description that the server
// gives, and whose requests openapi-fetch sends: `rest/main-way.ts`. Changes go to one server, most of the reading to another one
// on the same data (or to the same server), both running on demo data:
//
//     node rest.mjs <base URL> <base URL of the reading>
//
// Exits with 0 only if all held.

import { execFile } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { check, finish } from "../checks.mjs";

const [a, b] = process.argv.slice(2);
if (!a || !b) {
  console.error("usage: node rest.mjs <base URL> <base URL of the reading>");
  process.exit(2);
}

// What is generated and compiled stands in a folder of its own, beside links to what it uses: there, paths are as they are here.
const here = fileURLToPath(new URL(".", import.meta.url));
const folder = realpathSync(mkdtempSync(join(tmpdir(), "staygate-rest-")));
process.on("exit", () => rmSync(folder, { recursive: true }));
const client = join(folder, "clients", "rest");
mkdirSync(join(folder, "clients"));
cpSync(join(here, "rest"), client, { recursive: true });
symlinkSync(join(here, "node_modules"), join(folder, "clients", "node_modules"));
for (const name of ["checks.mjs", "checks.d.mts"]) {
  symlinkSync(join(here, "..", name), join(folder, name));
}
cpSync(join(here, "package.json"), join(folder, "package.json"));

/** Runs a tool of the packages, whose output is the error when it fails. */
async function run(tool, ...words) {
  const program = join(here, "node_modules", ".bin", tool);
  await promisify(execFile)(program, words, { cwd: client }).catch(({ stdout, stderr, message }) => {
    throw new Error(`${stdout}${stderr}`.trim() || message);
  });
}

let compiled = false;
await check("openapi-typescript makes types of the description", async () => {
  await run("openapi-typescript", new URL("/api/v1/openapi.json", a).href, "--output", "api.d.ts");
});
await check("a client that uses each of them as they are meant compiles strictly", async () => {
  await run("tsc", "--project", ".");
  compiled = true;
});

if (compiled) {
  await import(pathToFileURL(join(client, "main-way.js")).href);
}
finish();
