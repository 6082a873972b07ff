import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

export const ROOT = fileURLToPath(new URL('../..', import.meta.url));
export const CHAIN = join(ROOT, 'fixtures', 'regtest');
/** Program that writes the bundled chain, or one from another seed (`DIR [--seed TEXT]`). */
export const FIXTURE_BUILDER = join(ROOT, 'dist', 'testing', 'fixture', 'main.js');
const CLI = join(ROOT, 'dist', 'cli.js');

export interface CliRun {
  /** undefined if a signal ended it. */
  readonly status: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

export function startCli(
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): { child: ChildProcess; done: Promise<CliRun> } {
  const env = { ...process.env, ...environment };
  const child = spawn(process.execPath, [CLI, ...args], { cwd: ROOT, env, stdio: ['ignore', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  const done = new Promise<CliRun>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve({ status: status ?? undefined, stdout, stderr }));
  });
  return { child, done };
}

/** Runs the built `warpshrew` to its end. */
export function cli(...args: string[]): Promise<CliRun> {
  return startCli(args).done;
}

/** A folder that is gone after the test. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'warpshrew-test-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

/** The JSON of a run's last line. */
export function lastLine(run: CliRun): Record<string, unknown> {
  return JSON.parse(run.stdout.trim().split('\n').at(-1) ?? '') as Record<string, unknown>;
}
