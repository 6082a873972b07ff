import { type ReplayCommandOptions, replayCommand } from '../../src/cli/replay.js';
import { WarpshrewError } from '../../src/errors/errors.js';
import { CHAIN, type CliRun } from './cli.js';

/** Whether and how `warpshrew replay` ends, without a process of its own: for what is not about the command line. */
export async function replayHere(
  path: string,
  db: string,
  options: Partial<ReplayCommandOptions> = {},
): Promise<CliRun> {
  try {
    const run = await replayCommand(path, { db, policy: 'sequential', workers: 1, json: true, ...options });
    return { status: run.exitStatus, stdout: `${run.text}\n`, stderr: '' };
  } catch (error) {
    if (!(error instanceof WarpshrewError)) throw error;
    return { status: error.exitStatus, stdout: '', stderr: `${error.explain()}\n` };
  }
}

/** Replays the bundled chain into `db` up to a height. */
export async function replayTo(db: string, to: number): Promise<CliRun> {
  const run = await replayHere(CHAIN, db, { to });
  if (run.status !== 0) throw new Error(run.stderr);
  return run;
}
