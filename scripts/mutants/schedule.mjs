// Which transactions run in batches, and what runs those.
import { inFile } from './in-file.mjs';

const RULES = 'test/execute/dry-run-rules.test.ts';
const table = inFile('src/execute/rows/row-table.ts', RULES);
const BALANCE = 'test/execute/balance.test.ts';
const rates = inFile('src/execute/choose/balance.ts', BALANCE);
const CALIBRATION = 'test/execute/health/calibration.test.ts';
const LEAVING = 'test/execute/leaving.test.ts';
const costs = inFile('src/execute/choose/cost-record.ts', 'test/execute/cost-record.test.ts');
const choice = inFile('src/execute/rows/balanced-choice.ts', BALANCE);
const LOAD = 'test/execute/health/kernel-load.test.ts';
const load = inFile('src/execute/health/kernel-load.ts', LOAD);
const engine = inFile('src/execute/engine.ts', RULES);
const LEFT = 'test/execute/left-to-kernel.test.ts';
const kernel = inFile('src/execute/rows/block-kernel.ts', LEFT);
const lessons = inFile('src/execute/rows/teach-programs.ts', LEFT);

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
  kernel(
    'asking-run-before',
    'if (use.balance !== undefined) {\n      const { table }',
    'if (use.balance === null) {\n      const { table }',
    'under balance threads run all calls whole that ask whether they run dry, before any is divided',
  ),
  lessons(
    'asking-though-shared',
    'colours[node] === 1 && ',
    '',
    'calls that wait for each other are left to the kernel without a whole run',
  ),
  rates(
    'share-swings',
    'export const BAND = 0.05;',
    'export const BAND = 0;',
    'the share of the threads changes with every block',
  ),
  rates(
    'launch-not-paid',
    'if (perCall > (1 - LEAST_SAVING) / pool) return 1;',
    '',
    'the kernel gets calls although threads alone would end as soon',
  ),
  rates(
    'first-rate-decides',
    'if (!this.pool.isKnown || !this.kernel.isKnown) {',
    'if (false) {',
    'the first run of a kernel, which compiles, says that it is of no use',
  ),
  rates(
    'never-tried-again',
    'if (++this.blocks % TRIED_AGAIN !== 0) return this.share;',
    'return this.share;',
    'a side that was slow once is never tried again',
  ),
  inFile('src/execute/rows/explain.ts', 'test/execute/explain.test.ts')(
    'explained-otherwise',
    "policy: 'auto',",
    "policy: 'gpu',",
    'a batch is said to go to the kernel that auto would not send there',
  ),
  load(
    'limit-unbounded',
    'Math.max(LEAST_BATCH, Math.floor(this.#limit * SHRINK))',
    'Math.floor(this.#limit * SHRINK)',
    'a slow kernel gets fewer and fewer calls, and none in the end',
  ),
  load(
    'held-for-ever',
    'if (++this.#heldInRow > HELD_BLOCKS) {',
    'if (false) {',
    'a kernel that was slow at the tip is never asked again',
  ),
  inFile('src/execute/rows/route.ts', LOAD)(
    'limit-ignored',
    'keepMost(chosen.gpu, inputs.mostCalls);',
    '',
    'the kernel gets more calls than its limit',
  ),
  choice(
    'narrow-divided',
    'members.length >= balance.fewest && threads > 0',
    'threads > 0',
    'a batch of a few calls is divided',
  ),
  choice(
    'chains-torn',
    'followed = side[values[at]];',
    'followed = SIDE.none;',
    'who follows a transaction on one side runs on the other, and a value crosses',
  ),
  inFile('src/execute/rows/route.ts', BALANCE)(
    'threads-begin-late',
    'if (chosen.splits > 0) inputs.onChosen(',
    'if (chosen.splits < 0) inputs.onChosen(',
    'threads stand idle while calls are written for the kernel',
  ),
  inFile('src/execute/rows/row-batches.ts', BALANCE)(
    'threads-wait-for-kernel',
    'const running = kernel?.run(segment);\n',
    'const running = kernel?.run(segment);\n    await running;\n',
    'threads begin with the later colours of a segment when the kernel is done',
  ),
  costs(
    'divisions-forgotten',
    'balance?.restore?.(program);',
    'void program;',
    'after a restart balance divides as if it had never run',
  ),
  costs(
    'other-policy-dropped',
    'balance?.remembered?.() ?? others?.divisions ?? []',
    'balance?.remembered?.() ?? []',
    'a policy that learns no divisions drops those that another one has learned',
  ),
  costs(
    'share-beyond-all',
    'isCost(share) && share <= 1 && ',
    'isCost(share) && ',
    'a record may give the threads more than all calls',
  ),
  inFile('src/gpu/device/calibrate.ts', 'test/gpu/calibrate.test.ts')(
    'calibration-unchecked',
    'assertRight(given, found);',
    'void assertRight;',
    'a device that computes nonsense while it is measured is trusted',
  ),
  inFile('src/execute/health/kernel-device.ts', CALIBRATION)(
    'calibration-failure-unheard',
    'if (!this.#isClosed) this.failed(error);',
    'void error;',
    'a device that fails while it is measured is not noticed',
  ),
  inFile('src/execute/choose/cost-model.ts', CALIBRATION)(
    'calibration-over-blocks',
    'if (this.guessesLaunch) this.#launch.add(',
    'this.#launch.add(',
    'a calibration that ends late counts as much as what blocks told',
  ),
  inFile('src/execute/choose/leaving.ts', LEAVING)(
    'always-waits',
    'Math.min(...waits) <= Math.min(...atOnce);',
    'true;',
    'calls wait for the division also where running them at once is faster',
  ),
  inFile('src/execute/choose/leaving.ts', LEAVING)(
    'other-way-forgotten',
    'return ++known.blocks % OTHER_TRIED_AFTER === 0 ? !better : better;',
    'return better;',
    'a way that was slower once is never tried again',
  ),
  inFile('src/execute/engine.ts', LEFT)(
    'waits-for-nothing',
    'const left = waits ? mayBeLeft : NOTHING_LEFT;',
    'const left = mayBeLeft;',
    'what the blocks told of waiting changes nothing',
  ),
];
