// Which transactions run in batches, and what runs those.
import { inFile } from './in-file.mjs';

const RULES = 'test/execute/dry-run-rules.test.ts';
const table = inFile('src/execute/rows/row-table.ts', RULES);
const engine = inFile('src/execute/engine.ts', RULES);

export const SCHEDULE = [
  inFile('src/execute/rows/run-part.ts', RULES)(
    'unclean-batched',
    'inputs.cleanOnly ? dryRun.filter((row) => table.isClean(row)) : dryRun;',
    'dryRun;',
    'a transaction whose dry run failed runs in a batch under clean-only',
  ),
  table(
    'partial-is-clean',
    '(ASKED | UNDONE)) !== 0) return false;',
    'UNDONE) !== 0) return false;',
    'a dry run that was not whole counts as clean',
  ),
  table(
    'undone-is-clean',
    '(ASKED | UNDONE)) !== 0) return false;',
    'ASKED) !== 0) return false;',
    'the dry run of a transaction that is undone counts as clean',
  ),
  table(
    'last-message-decides',
    'for (let i = end - list[at + AT.messages]; i < end; i++) if (',
    'for (let i = end - Math.min(1, list[at + AT.messages]); i < end; i++) if (',
    'of the messages of a dry run only the last one must have ended OK',
  ),
  engine(
    'dry-run-off-ignored',
    "policy === 'sequential' || dryRun === 'off'",
    "policy === 'sequential'",
    'blocks run in batches although dry runs are off',
  ),
  engine(
    'left-though-clean-only',
    'this.#cleanOnly ? NOTHING_LEFT : programs.leftToKernel;',
    'programs.leftToKernel;',
    'under clean-only, what was left to the kernel has no whole dry run and never comes into a batch again',
  ),
];
