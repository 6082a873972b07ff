/**
 * What a deployment or message has been signed to do, on disk before anything is sent: whatever ends the program, the
 * same command goes on with the same transactions.
 */
import { closeSync, fsyncSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { EnvironmentError, InputError } from '../errors/errors.js';
import type { Step } from './build.js';
import { isRecord } from './wallet-node.js';

const FORMAT = 1;
/** Two transactions of four million bytes, in hex and as PSBT. */
const MAX_BYTES = 64 << 20;

export interface Plan {
  /** What it does, in one line: another command does not go on with it. */
  readonly what: string;
  readonly network: string;
  readonly steps: readonly Step[];
  /** See `Deployment`. */
  readonly revealSecret?: string;
  /** Everything was given to the node. */
  readonly sent: boolean;
}

/** The plan in a file; undefined if there is no such file. Throws InputError PLAN_UNREADABLE. */
export function readPlan(path: string): Plan | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOENT') return undefined;
    throw unreadable(path, 'the file cannot be read', cause);
  }
  if (text.length > MAX_BYTES) throw unreadable(path, 'the file is larger than any plan');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (cause) {
    throw unreadable(path, 'it is not JSON', cause);
  }
  if (!isRecord(parsed) || parsed.format !== FORMAT) throw unreadable(path, 'it is of another format');
  const { what, network, steps, revealSecret, sent } = parsed;
  if (typeof what !== 'string' || typeof network !== 'string' || typeof sent !== 'boolean') {
    throw unreadable(path, 'a field is missing');
  }
  if (!Array.isArray(steps) || steps.length === 0 || steps.length > 2 || !steps.every(isStep)) {
    throw unreadable(path, 'its steps are none');
  }
  return { what, network, steps, sent, ...(typeof revealSecret === 'string' && { revealSecret }) };
}

/** Writes it whole or not at all, for this user alone: it holds a key. Throws EnvironmentError ENV_UNWRITABLE. */
export function writePlan(path: string, plan: Plan): void {
  const next = `${path}.new`;
  try {
    const file = openSync(next, 'w', 0o600);
    try {
      writeFileSync(file, `${JSON.stringify({ format: FORMAT, ...plan }, null, 1)}\n`);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(next, path);
  } catch (cause) {
    throw new EnvironmentError('ENV_UNWRITABLE', 'the plan file cannot be written', {
      facts: { path },
      hint: plan.sent
        ? 'All of it was sent all the same: do not repeat it.'
        : 'Nothing was sent. Name another file with --plan.',
      cause,
    });
  }
}

function isStep(step: unknown): step is Step {
  if (!isRecord(step)) return false;
  const { name, txid, hex, psbt, vsize, fee } = step;
  const isName = name === 'commit' || name === 'reveal' || name === 'message';
  const isTx = typeof txid === 'string' && typeof hex === 'string' && /^([0-9a-f]{2})+$/.test(hex);
  return isName && isTx && typeof psbt === 'string' && typeof vsize === 'number' && typeof fee === 'string';
}

function unreadable(path: string, why: string, cause?: unknown): InputError {
  return new InputError('PLAN_UNREADABLE', `the plan cannot be used: ${why}`, {
    facts: { path },
    hint: 'Name another file with --plan. If it was half of a deployment, its commit may be unspent.',
    cause,
  });
}
