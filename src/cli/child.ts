import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { InternalError } from '../errors/errors.js';
import { shipped } from '../util/shipped.js';
import type { Workplace } from './workplace.js';

export interface ChildOptions {
  /** Added to this process's environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Where its stderr goes. */
  readonly stderr: 'inherit' | 'ignore';
  /** Called with every line of its stdout. */
  readonly onLine?: (line: string) => void;
}

/**
 * Runs this program with other arguments, in a process that ends with the workplace. Returns its exit status, or
 * undefined if a signal ended it. It has a process group of its own, so that a Ctrl-C reaches the parent alone.
 */
export async function runCli(
  workplace: Workplace,
  args: readonly string[],
  { environment, stderr, onLine }: ChildOptions,
): Promise<number | undefined> {
  assertOpen(workplace);
  const child = spawn(process.execPath, [fileURLToPath(shipped('cli.js')), ...args], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', stderr],
    detached: true,
  });
  workplace.owns(child);
  const lines = createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY });
  if (onLine !== undefined) lines.on('line', onLine);
  const read = new Promise<void>((resolve) => lines.once('close', resolve));
  const status = await new Promise<number | undefined>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? undefined));
  });
  await read;
  assertOpen(workplace);
  return status;
}

/** The result of a child that ended with its workplace is ignored, and no other is started after it. */
function assertOpen({ closed }: Workplace): void {
  if (closed) throw new InternalError('the start has ended');
}
