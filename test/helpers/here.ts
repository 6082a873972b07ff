import { type ReplayCommandOptions, replayCommand } from '../../src/cli/replay.js';
import { WarpshrewError } from '../../src/errors/errors.js';
import { CHAIN, type CliRun } from './cli.js';

/** How a command ends, without a process of its own: for what is not about the command line. */
export async function here(command: () => Promise<{ text: string; exitStatus: number }>): Promise<CliRun> {
  try {
    const { text, exitStatus } = await command();
    return { status: exitStatus, stdout: text.endsWith('\n') ? text : `${text}\n`, stderr: '' };
  } catch (error) {
    if (!(error instanceof WarpshrewError)) throw error;
    return { status: error.exitStatus, stdout: '', stderr: `${error.explain()}\n` };
  }
}

/** `warpshrew replay`, see {@link here}. */
export function replayHere(path: string, db: string, options: Partial<ReplayCommandOptions> = {}): Promise<CliRun> {
  return here(() => replayCommand(path, { db, policy: 'sequential', workers: 1, json: true, ...options }));
}

/** Replays the bundled chain into `db` up to a height. */
export async function replayTo(db: string, to: number): Promise<CliRun> {
  const run = await replayHere(CHAIN, db, { to });
  if (run.status !== 0) throw new Error(run.stderr);
  return run;
}
