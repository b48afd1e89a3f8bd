// What clients see while something fails, and what is left of what they were told:
//
//     node faults.mjs <fault> <folder> <gateways> <provider> <command that runs SQL, as JSON> <what is not to be, with commas between>
//
// It says that the load is there by a file `loaded` in the folder, reads when something broke and was mended from `marks`, and ends the load when there is `done`. Then
// it reads everything back. The figures go to `figures.json`. Exits with 0 only if every promise was kept.

import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { Gateways } from "./load/gateways.mjs";
import { People } from "./load/people.mjs";
import { broken, most, settled } from "./load/promises.mjs";
import { NEVER, aligned, figures, timeline } from "./load/tally.mjs";
import { Watcher } from "./load/watchers.mjs";

const [fault, folder, urls, provider, sql, forbidden] = process.argv.slice(2);
const command = JSON.parse(sql);
/** What the load is, a second. */
const LOAD = { looks: 20, reads: 10, edits: 4, bookings: 3, signOuts: 0.5 };
/** How long it may take after a fault until all goes on by itself, in seconds, and until what was begun has ended. */
const BACK_WITHIN = 30;
const SETTLED_WITHIN = 200;
/** A machine whose writes take so many milliseconds, 1 % of them, before anything is broken, has no room for the load. */
const BUSY = 500;

const heard = [];
const gateways = new Gateways(urls.split(" "), (one) => heard.push(one));
const people = new People(gateways, { homes: 6, guests: 20 });
await people.arrive();
await tells(provider, gateways.all[0].url);
const watchers = people.guests.map((guest) => new Watcher(gateways, guest));
people.begin(LOAD);
writeFileSync(`${folder}/loaded`, "");
const memory = [];
while (!existsSync(`${folder}/done`)) {
  await pause(500);
  memory.push([Date.now(), inMemory()]);
}
const left = await people.finish(90_000);
const marks = Object.fromEntries(
  readFileSync(`${folder}/marks`, "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(" "))
    .map(([what, at]) => [what, Number(at)]),
);
const unsettled = await settled(command, SETTLED_WITHIN * 1000);
const settledAfter = (Date.now() - marks.mended) / 1000;
// Events are told within a second.
await pause(1500);
const wrong = await broken({ people, watchers, gateways, provider, sql: command });
for (const watcher of watchers) await watcher.end();
gateways.end();

const seen = figures(heard, marks);
if (left) wrong.push(`${left} clients still wait for an answer that is one`);
if (unsettled.payments) wrong.push(`${unsettled.payments} payments are not settled`);
if (unsettled.jobs) wrong.push(`${unsettled.jobs} jobs are in nobody's hand`);
if (seen.toAll > BACK_WITHIN) wrong.push(`it took ${seen.toAll} s until all went well again`);
// Where the machine has too much to do anyway, it is not for the fault that something is sent away.
const isBusy = seen.before.writes.most > BUSY;
const due = forbidden.split(",").filter((outcome) => !isBusy || !["away", "in part"].includes(outcome));
for (const outcome of [...NEVER, ...due]) {
  const those = heard.filter((one) => one.outcome === outcome);
  const what = [...new Set(those.map(({ kind, says }) => `${kind}: ${says}`))].slice(0, 3);
  if (those.length) wrong.push(`${those.length} answers were "${outcome}", such as ${what.join("; ")}`);
}

const closes = {};
for (const [, why] of watchers.flatMap(({ closes }) => closes)) closes[why] = (closes[why] ?? 0) + 1;
const during = (list) => list.filter(([at]) => at >= marks.broken);
const result = {
  fault,
  ...seen,
  settledAfter,
  bookings: people.bookings.length,
  payments: people.payments.length,
  edits: people.homes.reduce((sum, { acknowledged }) => sum + acknowledged.length - 1, 0),
  events: watchers.reduce((sum, { seen }) => sum + seen.length, 0),
  stale: most(during(people.stale)),
  letIn: most(during(people.letIn)),
  closes,
  memory: { before: most(memory.filter(([at]) => at < marks.broken)), most: most(memory), end: memory.at(-1)[1] },
  wrong,
};
writeFileSync(`${folder}/figures.json`, JSON.stringify(result));
tell();
process.exit(wrong.length ? 1 : 0);

/** Has the provider send its notices to a gateway. */
async function tells(provider, gateway) {
  const answer = await fetch(`${provider}/_config/webhooks/drill`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ url: `${gateway}/webhooks/stripe`, secret: "whsec_staygate" }),
  });
  if (!answer.ok) throw new Error(`the provider says ${answer.status}`);
}

/** What gateways and workers have in memory, the largest of them, in MiB. */
function inMemory() {
  const sizes = readFileSync(`${folder}/pids`, "utf8").trim().split("\n").map((id) => {
    try {
      return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${id}/status`, "utf8"))[1]) / 1024;
    } catch {
      return 0;
    }
  });
  return Math.round(Math.max(...sizes));
}

function tell() {
  console.log(timeline(seen.seconds));
  const lines = [["", "requests", "ok", "503", "429", "refused", "reset", "reads p50", "p99", "writes p50", "p99", "slowest"]];
  for (const phase of ["before", "during", "after"]) {
    const { all, ok, away, limited, refused, reset, reads, writes } = seen[phase];
    const cells = [all, ok, away, limited, refused, reset].map((cell) => cell ?? 0);
    lines.push([phase, ...cells, reads.half, reads.most, writes.half, writes.most, Math.max(reads.slowest, writes.slowest)]);
  }
  console.log(`\n${aligned(lines)}\n`);
  console.log(`the fault lasted ${seen.lasted} s; the first success came ${seen.toFirst} s after it was mended, 99 % after ${seen.toAll.toFixed(1)} s, all was settled after ${settledAfter.toFixed(1)} s`);
  console.log(`acknowledged and read back: ${result.bookings} bookings, ${result.payments} payments, ${result.edits} edits; ${result.events} events told`);
  console.log(`answers were at most ${result.stale} ms old, ended sessions were let in for ${result.letIn} ms at most; sockets: ${JSON.stringify(closes)}`);
  console.log(`memory: ${result.memory.before} MiB before, ${result.memory.most} MiB at most, ${result.memory.end} MiB in the end`);
  if (isBusy) console.log("the machine had too much to do before anything was broken: that something was away is not held against the fault");
  for (const sentence of wrong) console.log(`not ok: ${sentence}`);
}
