/** How one setting is read, whichever place it comes from. */
import { printable } from '../util/printable.js';

/** Thrown by {@link Option.read}; the message says what would be right, without naming the setting. */
export class BadValue extends Error {}

/**
 * One setting of the service: its name gives the flag (`--node-url`), the variable (`WARPSHREW_NODE_URL`) and the key
 * of the file (`nodeUrl`).
 */
export interface Option<T> {
  readonly about: string;
  /** What stands for the value in help texts; undefined: a switch. */
  readonly placeholder: string | undefined;
  /** In force where the setting is given nowhere. */
  readonly fallback: T;
  /** Its value is never printed. */
  readonly secret: boolean;
  /** Its flag may be given several times: the values are joined by commas. */
  readonly repeats: boolean;
  /** Reads a flag's or variable's text, or a value of the file. Throws {@link BadValue}. */
  read(raw: unknown): T;
}

interface About<T> {
  readonly about: string;
  readonly fallback: T;
  readonly placeholder?: string;
  readonly secret?: boolean;
  readonly repeats?: boolean;
}

function option<T>(of: About<T>, placeholder: string | undefined, read: (raw: unknown) => T): Option<T> {
  const { about, fallback, secret = false, repeats = false } = of;
  return { about, fallback, secret, repeats, placeholder: of.placeholder ?? placeholder, read };
}

/** Longest text of a setting: paths and addresses are shorter. */
const LONGEST = 4096;
/** Characters shown of what was given for a number. */
const MOST_SHOWN = 40;

export function text<T extends string | undefined>(of: About<T>): Option<T | string> {
  return option<T | string>(of, 'text', (raw) => {
    if (typeof raw !== 'string') throw new BadValue('must be text');
    if (raw === '' || raw.length > LONGEST) throw new BadValue(`must have 1 to ${LONGEST} characters`);
    if (/[\0\r\n]/.test(raw)) throw new BadValue('must not hold line breaks');
    return raw;
  });
}

/** Text that must match. */
export function matching(of: About<string | undefined>, form: RegExp, what: string): Option<string | undefined> {
  const plain = text(of);
  return option<string | undefined>(of, 'text', (raw) => {
    const value = plain.read(raw);
    if (value !== undefined && form.test(value)) return value;
    throw new BadValue(`must be ${what}`);
  });
}

/** As {@link matching}, with a value in force where it is not given. */
export function named(of: About<string>, form: RegExp, what: string): Option<string> {
  const plain = matching(of, form, what);
  return option<string>(of, 'text', (raw) => plain.read(raw) ?? of.fallback);
}

/** The end of a message on a number, which is no secret: what was given instead of one. */
function notThis(raw: unknown): string {
  if (typeof raw === 'string') return `not '${printable(raw.slice(0, MOST_SHOWN))}'`;
  return typeof raw === 'number' || typeof raw === 'boolean' ? `not ${raw}` : 'nothing else';
}

/** A whole number within bounds. */
export function whole<T extends number | undefined>(of: About<T>, min: number, max: number): Option<T | number> {
  return option<T | number>(of, 'n', (raw) => {
    const value = typeof raw === 'string' && /^\d{1,15}$/.test(raw) ? Number(raw) : raw;
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    throw new BadValue(`must be a whole number from ${min} to ${max}, ${notThis(raw)}`);
  });
}

/** A whole number within bounds, or the one word that stands for no bound. */
export function wholeOr<const W extends string>(of: About<W>, word: W, min: number, max: number): Option<W | number> {
  return option<W | number>(of, `${word}|n`, (raw) => {
    if (raw === word) return word;
    const value = typeof raw === 'string' && /^\d{1,15}$/.test(raw) ? Number(raw) : raw;
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return value;
    throw new BadValue(`must be ${word} or a whole number from ${min} to ${max}, ${notThis(raw)}`);
  });
}

export function oneOf<const T extends string>(of: About<NoInfer<T>>, choices: readonly T[]): Option<T> {
  return option<T>(of, choices.join('|'), (raw) => {
    const found = choices.find((choice) => choice === raw);
    if (found === undefined) throw new BadValue(`must be one of ${choices.join(', ')}`);
    return found;
  });
}

const SWITCH: ReadonlyMap<unknown, boolean> = new Map<unknown, boolean>([
  [true, true],
  ['true', true],
  ['1', true],
  [false, false],
  ['false', false],
  ['0', false],
]);

export function onOff(of: About<boolean>): Option<boolean> {
  return option(of, undefined, (raw) => {
    const value = SWITCH.get(raw);
    if (value === undefined) throw new BadValue('must be true or false');
    return value;
  });
}

/** An address with one of some schemes, e.g. `http:`. */
export function address(of: About<string | undefined>, schemes: readonly string[]): Option<string | undefined> {
  const plain = text(of);
  return option<string | undefined>(of, 'url', (raw) => {
    const value = plain.read(raw);
    const url = value !== undefined && URL.canParse(value) ? new URL(value) : undefined;
    if (url !== undefined && schemes.includes(url.protocol) && url.host !== '') return value;
    throw new BadValue(`must be an address that begins with ${schemes.map((scheme) => `${scheme}//`).join(' or ')}`);
  });
}

const words = (name: string): string[] => name.split(/(?=[A-Z])/).map((word) => word.toLowerCase());

/** `nodeUrl` → `--node-url`. */
export function flagOf(name: string): string {
  return `--${words(name).join('-')}`;
}

/** `nodeUrl` → `WARPSHREW_NODE_URL`. */
export function variableOf(name: string): string {
  return `WARPSHREW_${words(name).join('_').toUpperCase()}`;
}
