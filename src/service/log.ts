import { type Logger, pino } from 'pino';
import type { ErrorFacts } from '../errors/errors.js';
import { maskUserInfo } from '../errors/mask.js';
import { printable } from '../util/printable.js';
import type { Failure } from './events.js';

export type { Logger } from 'pino';

export interface LogOptions {
  readonly level: string;
  readonly format: 'json' | 'pretty';
  readonly label: string | undefined;
  /** Receives whole lines; default: standard error. */
  readonly write?: (line: string) => void;
}

/**
 * The logger of the process: JSON lines, or the same fields as plain text. Lines are written before the call returns.
 */
export function createLogger({ level, format, label, write }: LogOptions): Logger {
  const options = {
    level,
    base: label === undefined ? {} : { label },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (name: string) => ({ level: name }) },
    // Whatever a line contains: passwords in addresses never leave the process.
    hooks: { streamWrite: maskUserInfo },
  };
  if (format === 'json' && write === undefined) return pino(options, pino.destination({ dest: 2, sync: true }));
  const out = write ?? ((line: string): void => void process.stderr.write(line));
  return pino(options, { write: (line: string) => out(format === 'json' ? line : prettyLine(line)) });
}

/** The fields of a failure in a log line. */
export function failureFields({ code, facts, hint }: Failure): Record<string, unknown> {
  return { code, ...plainFacts(facts), ...(hint !== undefined && { hint }) };
}

/** Facts as JSON values. */
export function plainFacts(facts: ErrorFacts): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [name, typeof value === 'bigint' ? String(value) : value]),
  );
}

/** Text from outside may contain terminal control codes; what JSON leaves of them, `printable` escapes. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: the expression matches them on purpose.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** `21:14:07 warn  message  code=NODE_WARMING_UP height=5`. */
function prettyLine(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const rest = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === 'string' && !CONTROL.test(value) ? value : JSON.stringify(value)}`,
  );
  const clock = String(time).slice(11, 19);
  return `${printable([clock, String(level).padEnd(5), msg, ...rest].join(' '))}\n`;
}
