import { type Logger, pino } from 'pino';
import type { ErrorFacts } from '../errors.js';
import { maskUserInfo } from '../util/mask.js';
import type { Failure } from './events.js';

export type { Logger } from 'pino';

export interface LogOptions {
  readonly level: string;
  readonly format: 'json' | 'pretty';
  readonly label: string | undefined;
  /** Takes whole lines; standard error if not given. */
  readonly write?: (line: string) => void;
}

/**
 * One logger for the process: JSON lines, or the same facts as plain text. Lines are written before the call returns.
 */
export function createLogger({ level, format, label, write }: LogOptions): Logger {
  const options = {
    level,
    base: label === undefined ? {} : { label },
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (name: string) => ({ level: name }) },
    // Whatever a line is made of: no password of an address leaves the process.
    hooks: { streamWrite: maskUserInfo },
  };
  if (format === 'json' && write === undefined) return pino(options, pino.destination({ dest: 2, sync: true }));
  const out = write ?? ((line: string): void => void process.stderr.write(line));
  return pino(options, { write: (line: string) => out(format === 'json' ? line : prettyLine(line)) });
}

/** The fields of a failure as a line of the log carries them. */
export function failureFields({ code, facts, hint }: Failure): Record<string, unknown> {
  return { code, ...plainFacts(facts), ...(hint !== undefined && { hint }) };
}

/** Facts as JSON can hold them. */
export function plainFacts(facts: ErrorFacts): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(facts).map(([name, value]) => [name, typeof value === 'bigint' ? String(value) : value]),
  );
}

/** Text of others may hold what a terminal obeys; JSON escapes it but for the codes from 127 to 159. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what it is about.
const CONTROL = /[\u0000-\u001f\u007f-\u009f]/;

/** `21:14:07 warn  message  code=NODE_WARMING_UP height=5`. */
export function prettyLine(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as Record<string, unknown>;
  const rest = Object.entries(fields).map(
    ([name, value]) => `${name}=${typeof value === 'string' && !CONTROL.test(value) ? value : JSON.stringify(value)}`,
  );
  const clock = String(time).slice(11, 19);
  return `${[clock, String(level).padEnd(5), msg, ...rest].join(' ')}\n`;
}
