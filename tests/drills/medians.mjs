// One line a fault, the medians of its runs:
//
//     node medians.mjs <folder with figures> <fault>...

import { readFileSync, readdirSync } from "node:fs";
import { aligned } from "./load/tally.mjs";

const [folder, ...faults] = process.argv.slice(2);
const middle = (values) => values.sort((one, other) => one - other)[Math.floor((values.length - 1) / 2)];
const lines = [["fault", "runs", "lasted s", "ok", "503", "reset", "reads p99 before", "during", "writes p99 before", "during", "slowest ms", "first ok s", "99 % s", "settled s", "stale ms", "let in ms", "MiB", "at most", "wrong"]];
for (const fault of faults) {
  const names = readdirSync(folder).filter((name) => name.endsWith(".json") && name.replace(/\.\d+\.json$/, "") === fault);
  const runs = names.map((name) => JSON.parse(readFileSync(`${folder}/${name}`, "utf8")));
  if (!runs.length) continue;
  const of = (figure, digits = 0) => {
    const value = middle(runs.map((run) => figure(run) ?? 0));
    return value.toFixed(digits);
  };
  const most = (figure) => Math.max(...runs.map(figure));
  const all = (outcome) => of(({ during, after }) => (during[outcome] ?? 0) + (after[outcome] ?? 0));
  lines.push([
    fault, runs.length, of(({ lasted }) => lasted, 1), all("ok"), all("away"), all("reset"),
    of(({ before }) => before.reads.most), of(({ during }) => during.reads.most),
    of(({ before }) => before.writes.most), of(({ during }) => during.writes.most),
    of(({ slowest }) => slowest), of(({ toFirst }) => toFirst, 1), of(({ toAll }) => toAll, 1), of(({ settledAfter }) => settledAfter, 1),
    most(({ stale }) => stale), most(({ letIn }) => letIn), of(({ memory }) => memory.before), of(({ memory }) => memory.most),
    runs.reduce((sum, { wrong }) => sum + wrong.length, 0),
  ]);
}
console.log(aligned(lines));
