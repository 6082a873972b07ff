// When the kernel is used, what is checked of it, and what is kept of a mismatch.
import { inFile } from './in-file.mjs';

const health = inFile('src/execute/health/kernel-health.ts', 'test/execute/health/kernel-health.test.ts');
const device = inFile('src/execute/health/kernel-device.ts', 'test/execute/health/kernel-device.test.ts');

export const HEALTH = [
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
