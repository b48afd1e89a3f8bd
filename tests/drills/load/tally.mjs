// What clients saw, in figures: before a fault, while it lasted, and after it was mended.

const READS = ["look", "read"];
const WRITES = ["book", "pay", "edit"];
/** What is never to be, whatever fails. */
export const NEVER = ["away, and not until when", "limited, and not until when", "broken", "hung"];

/** Sorts what was heard by when it was asked. `marks` are moments in milliseconds: broken, mended. */
export function figures(heard, { broken, mended }) {
  const began = Math.min(...heard.map(({ began }) => began));
  const phases = { before: [began + 1000, broken], during: [broken, mended], after: [mended, Infinity] };
  const seen = {};
  for (const [phase, [from, until]] of Object.entries(phases)) {
    const those = heard.filter(({ began }) => began >= from && began < until);
    seen[phase] = { ...counts(those), reads: times(those, READS), writes: times(those, WRITES) };
  }
  const later = heard.filter(({ outcome, kind, began, took }) => outcome === "ok" && kind !== "look" && began + took >= mended);
  const first = Math.min(...later.map(({ began, took }) => began + took));
  const seconds = bySecond(heard, broken);
  const back = Math.floor((mended - broken) / 1000);
  const bad = seconds.filter(({ second, all, ok }) => second >= back && ok < 0.99 * all);
  return {
    ...seen,
    seconds,
    lasted: (mended - broken) / 1000,
    toFirst: (first - mended) / 1000,
    toAll: bad.length ? Math.max(0, bad.at(-1).second + 1 - (mended - broken) / 1000) : 0,
    slowest: Math.max(...heard.map(({ took }) => took)),
  };
}

function counts(those) {
  const all = { all: those.length };
  for (const { outcome } of those) all[outcome] = (all[outcome] ?? 0) + 1;
  return all;
}

/** Of those that were answered well: who is sent away learns it at once, or after a wait that says nothing of the others. */
function times(those, kinds) {
  const took = those.filter(({ kind, outcome }) => kinds.includes(kind) && outcome === "ok").map(({ took }) => took);
  took.sort((one, other) => one - other);
  const at = (share) => took[Math.floor((took.length - 1) * share)] ?? null;
  return { all: took.length, half: at(0.5), most: at(0.99), slowest: at(1) };
}

function bySecond(heard, broken) {
  const seconds = new Map();
  for (const { began, took, outcome } of heard) {
    const second = Math.floor((began - broken) / 1000);
    const here = seconds.get(second) ?? { second, all: 0, ok: 0, slowest: 0 };
    here.all += 1;
    here[outcome] = (here[outcome] ?? 0) + 1;
    here.slowest = Math.max(here.slowest, took);
    seconds.set(second, here);
  }
  return [...seconds.values()].sort((one, other) => one.second - other.second);
}

/** One line a second, the fault at 0. */
export function timeline(seconds) {
  const columns = ["ok", "away", "limited", "in part", "refused", "reset", ...NEVER];
  const used = columns.filter((column) => column === "ok" || seconds.some((second) => second[column]));
  const lines = [["second", ...used, "slowest ms"]];
  for (const second of seconds) lines.push([second.second, ...used.map((column) => second[column] ?? 0), second.slowest]);
  return aligned(lines);
}

export function aligned(lines) {
  const widths = lines[0].map((_, n) => Math.max(...lines.map((line) => String(line[n]).length)));
  return lines.map((line) => line.map((cell, n) => String(cell).padStart(widths[n])).join("  ")).join("\n");
}
