// When the kernel is used, what is checked of it, and what is kept of a mismatch.
import { inFile } from './in-file.mjs';

const health = inFile('src/execute/health/kernel-health.ts', 'test/execute/health/kernel-health.test.ts');
const device = inFile('src/execute/health/kernel-device.ts', 'test/execute/health/kernel-device.test.ts');

const CHECKED = 'test/execute/health/cross-check.test.ts';
const check = inFile('src/execute/health/cross-check.ts', CHECKED);
const dump = inFile('src/execute/health/call-dump.ts', CHECKED);
const dumpFiles = inFile('src/pipeline/dump-files.ts', CHECKED);

export const HEALTH = [
  check(
    'mismatch-ignored',
    'if (endsEqual(kernel, cpu)) return true;',
    'return true;',
    'a result of the kernel that is another on the CPU is used',
  ),
  check(
    'check-by-txid-alone',
    'writeU32(this.#room, TXID_BYTES, height);',
    '',
    'a call that runs again at another height after a reorg is checked there exactly if it was before',
  ),
  check('checked-fuel-ignored', 'a.fuelLeft === b.fuelLeft &&', '', 'the check does not look at the fuel that is left'),
  inFile('src/execute/rows/block-kernel.ts', CHECKED)(
    'mismatch-for-one-segment',
    'if (this.#mismatch !== undefined) throw this.#mismatch;',
    '',
    'after a mismatch, what the kernel said earlier of the block counts',
  ),
  inFile('src/execute/engine.ts', CHECKED)(
    'mismatch-ends-index',
    'if (!isWrong && !(error instanceof BlockTooLarge)) throw error;',
    'if (!(error instanceof BlockTooLarge)) throw error;',
    'a mismatch ends the index',
  ),
  device(
    'dump-lost',
    'if (error instanceof KernelMismatch) this.#keep(error.disputed);',
    '',
    'nothing is kept of a call on which the kernel and the CPU disagree',
    { tests: [CHECKED] },
  ),
  dump(
    'dump-checksum',
    "if (crc32(text) !== Number.parseInt(sum, 16)) throw damaged('its checksum is wrong');",
    '',
    'a dump that was changed is run',
  ),
  dumpFiles('dumps-unbounded', 'const MOST_DUMPS = 16;', 'const MOST_DUMPS = 1_000;', 'dumps fill the disk'),
  health(
    'breaker-never-opens',
    'if (why !== undefined) this.#open(why);\n    else if',
    'if',
    'a kernel that keeps failing is used all the same',
  ),
  health(
    'one-mismatch-too-many',
    'const MOST_MISMATCHES = 2;',
    'const MOST_MISMATCHES = 3;',
    'two mismatches in a row do not open the breaker',
  ),
  health(
    'probe-skipped',
    "if (this.#state === 'unhealthy') this.#goTo('probing', 'the cool-down is over');",
    "if (this.#state === 'unhealthy') this.#goTo('degraded', 'the cool-down is over');",
    'after the cool-down the kernel counts as working without a probe',
  ),
  health(
    'cool-down-stays',
    'Math.min(LONGEST_COOL_DOWN_MS, 2 * this.#coolDownMs)',
    'Math.min(LONGEST_COOL_DOWN_MS, this.#coolDownMs)',
    'a failed probe does not lengthen the cool-down',
  ),
  health(
    'cool-down-unbounded',
    'Math.min(LONGEST_COOL_DOWN_MS, 2 * this.#coolDownMs)',
    '2 * this.#coolDownMs',
    'the cool-down grows without bound',
  ),
  device(
    'lost-device-used',
    "if (code === 'GPU_DEVICE_LOST') this.#isLost = true;",
    '',
    'a lost device is asked again in place of a new one',
  ),
];
