/**
 * The GPU in a process of its own, before this one asks for it: drivers print what they like, and a broken one ends the
 * process that loads it.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { EnvironmentError } from '../../errors/errors.js';
import { shipped } from '../../util/shipped.js';

/** Of what it prints the end, where errors of the program's own stand. */
const MOST_OUTPUT = 1 << 16;
/** Lines that drivers printed, as many as anybody hears of. */
const MOST_LINES = 100;
const ADAPTER_COMMAND = ['gpu-info', '--here'];
/** Loading drivers takes a second or two; one that hangs never ends. */
const PATIENCE_MS = 60_000;

/** How a process that used the GPU ended. */
export interface TrialEnd {
  /** Undefined after a signal. */
  readonly status: number | undefined;
  readonly signal: string | undefined;
  readonly timedOut: boolean;
  readonly stdout: string;
  /** What drivers printed, and errors of the program's own. */
  readonly stderr: string;
}

/** Runs a command of this program in a process of its own, which is ended after `patienceMs`. */
export function runApart(
  command: readonly string[],
  environment: NodeJS.ProcessEnv,
  patienceMs: number,
): Promise<TrialEnd> {
  const child = spawn(process.execPath, [fileURLToPath(shipped('cli.js')), ...command], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill('SIGKILL');
  }, patienceMs);
  const texts = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      texts[stream] = (texts[stream] + text).slice(-MOST_OUTPUT);
    });
  }
  return new Promise((resolve) => {
    const end = (status: number | null, signal: string | null): void => {
      clearTimeout(timer);
      resolve({ status: status ?? undefined, signal: signal ?? undefined, timedOut, ...texts });
    };
    child.once('error', (error) => {
      texts.stderr += error.message;
      end(1, null);
    });
    child.once('close', end);
  });
}

/** The error that the program explained, and the lines of others. */
export function parted(stderr: string): readonly [own: string, noise: readonly string[]] {
  // A driver may leave its last line without an end.
  const apart = stderr.replace(/(?<=[^\n])(?=GPU_[A-Z_]+: )/g, '\n');
  const lines = apart.split('\n').filter((line) => line.trim() !== '');
  const first = lines.findIndex((line) => /^(GPU|ENV|INTERNAL|STORE)[A-Z_]*: /.test(line));
  if (first < 0) return ['', lines];
  const isOwn = (line: string, i: number): boolean => i === first || (i > first && line.startsWith('  '));
  return [lines.filter(isOwn).join('\n'), lines.filter((line, i) => !isOwn(line, i))];
}

export interface TrialOptions {
  /** Hears lines that drivers printed; nobody does if not given. */
  readonly onNoise?: ((line: string) => void) | undefined;
  readonly run?: () => Promise<TrialEnd>;
}

/**
 * Asks for the adapter in a process of its own; gives it as a line of JSON, undefined where that is not certain. Throws
 * EnvironmentError GPU_UNAVAILABLE if there is none there, or a driver ended or held the process: then this one must
 * not try it. Whatever else happened, this one finds out.
 */
export async function tryAdapter({ onNoise, run }: TrialOptions = {}): Promise<string | undefined> {
  const end = await (run ?? (() => runApart(ADAPTER_COMMAND, process.env, PATIENCE_MS)))();
  const [own, noise] = parted(end.stderr);
  for (const line of noise.slice(0, MOST_LINES)) onNoise?.(line);
  const [code, ...words] = own.split('\n')[0].split(': ');
  const hint =
    'Use the CPU policies, run it with the bundled software driver (warpshrew software-gpu -- COMMAND), or ask doctor.';
  if (end.timedOut) {
    throw new EnvironmentError('GPU_UNAVAILABLE', 'the driver of the GPU does not answer', {
      facts: { ms: PATIENCE_MS },
      hint,
    });
  }
  if (end.signal !== undefined) {
    throw new EnvironmentError('GPU_UNAVAILABLE', 'the driver of the GPU ended the process that tried it', {
      facts: { signal: end.signal },
      hint,
    });
  }
  if (code === 'GPU_UNAVAILABLE') throw new EnvironmentError(code, words.join(': '), { hint });
  // A driver may print to standard output, too.
  return end.stdout.split('\n').findLast((line) => line.startsWith('{"vendor":'));
}
