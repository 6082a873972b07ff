import { createInterface } from 'node:readline/promises';
import { EXIT, UsageError } from '../errors/errors.js';
import { type CheckSummary, checkStore } from '../store/check/check.js';
import type { Violation } from '../store/check/run.js';
import { Store } from '../store/store.js';
import { toDisplayHash } from '../util/bytes.js';
import { statusLine } from '../util/status-line.js';

interface Result {
  readonly text: string;
  readonly exitStatus: number;
}

/** `warpshrew db check`: one line per violation on stdout as it is found (`json`: an object each), then a summary. */
export async function checkCommand(options: { readonly db: string; readonly json?: boolean }): Promise<Result> {
  const line = statusLine();
  const started = performance.now();
  const summary = await checkStore(options.db, {
    violation(violation) {
      line.clear();
      process.stdout.write(`${options.json ? JSON.stringify(violation) : violationText(violation)}\n`);
    },
    progress: (phase, rows) => line.show(() => `check: ${phase}, ${rows} rows`),
  });
  line.clear();
  const seconds = (performance.now() - started) / 1000;
  return {
    text: options.json ? JSON.stringify({ ...summary, seconds }) : summaryText(summary, seconds),
    exitStatus: summary.violations === 0 ? 0 : EXIT.check,
  };
}

export function violationText({ code, detail, height, namespace, key }: Violation): string {
  const where = [
    ...(height === undefined ? [] : [`height ${height}`]),
    ...(namespace === undefined ? [] : [`namespace ${namespace}`]),
    ...(key === undefined ? [] : [`key ${key}`]),
  ];
  return `${code}: ${[detail, ...where].join(', ')}`;
}

function summaryText({ violations, rows, heights, stateRoot }: CheckSummary, seconds: number): string {
  const blocks = heights === undefined ? 'no blocks' : `blocks ${heights.first} to ${heights.tip}`;
  const verdict = violations === 0 ? 'no violation' : `${violations} violations`;
  const root = stateRoot === undefined ? '' : `, state root ${stateRoot}`;
  return `${verdict}: ${blocks}${root} (${rows} rows in ${seconds.toFixed(1)} s)`;
}

export interface RollbackOptions {
  readonly db: string;
  readonly to: number;
  readonly yes?: boolean;
}

/** `warpshrew db rollback`: one atomic batch per block; what ends it between two leaves a whole state. */
export async function rollbackCommand({ db, to, yes }: RollbackOptions): Promise<Result> {
  // Undo rows are dropped by commits only, so the setting does not matter here.
  const store = await Store.openRecorded(db);
  try {
    const tip = store.tip();
    if (tip === undefined) return { text: 'the store is empty', exitStatus: 0 };
    if (to >= tip.height) return { text: `the tip is ${tip.height}: nothing to undo`, exitStatus: 0 };
    store.assertReachable(to);
    const left = store.blockHash(to);
    const after =
      left === undefined ? 'the store will be empty' : `block ${to} (${toDisplayHash(left)}) will be the tip`;
    const plan = `undo ${tip.height - to} blocks, from ${tip.height} (${toDisplayHash(tip.hash)}) down: ${after}`;
    if (!yes && !(await confirmed(plan))) return { text: 'nothing was changed', exitStatus: EXIT.check };
    if (yes) process.stderr.write(`${plan}\n`);
    const line = statusLine();
    for (let height = tip.height - 1; height >= to; height--) {
      store.rollback(height);
      line.show(() => `rollback: at ${height}, to ${to}`);
      // Lets a signal in between two blocks.
      await new Promise((resolve) => setImmediate(resolve));
    }
    line.clear();
    const root = store.roots(to)?.state;
    return { text: root === undefined ? 'the store is empty' : `tip ${to}, state root ${root}`, exitStatus: 0 };
  } finally {
    await store.close();
  }
}

async function confirmed(plan: string): Promise<boolean> {
  if (!process.stdin.isTTY) {
    throw new UsageError('USAGE_CONFIRM', 'this would change the database and there is no terminal to ask at', {
      facts: { plan },
      hint: 'Give --yes if this is what you want.',
    });
  }
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  try {
    return /^y(es)?$/i.test((await terminal.question(`${plan}\nGo on? [y/N] `)).trim());
  } finally {
    terminal.close();
  }
}
