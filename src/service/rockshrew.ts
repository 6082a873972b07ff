/**
 * Reads what is given as to rockshrew-mono: its flags beside ours, and where its command line is used, its variables.
 */
import { camelOf, type Given, type Remark } from './given.js';
import { flagOf } from './option.js';
import type { OptionName } from './options.js';
import { ROCKSHREW_FLAGS, ROCKSHREW_VARIABLES, type RockshrewFlag, rustLogLevel } from './rockshrew-flags.js';

/**
 * Set among the flags where the whole command line is one of rockshrew-mono: `warpshrew --daemon-rpc-url …`, without a
 * command.
 */
export const AS_ROCKSHREW = 'asRockshrew';

/** Settings that flags and variables of rockshrew-mono give. */
export interface FromRockshrew {
  /** Undefined: a flag of ours whose value has no meaning here. */
  readonly flags: ReadonlyMap<OptionName, Given | undefined>;
  /** Empty unless its whole command line is used: shells set HOST for other reasons. */
  readonly environment: ReadonlyMap<OptionName, Given | undefined>;
  /** What has no meaning here, and why. */
  readonly notes: readonly Remark[];
}

/** Whether a flag of rockshrew-mono is one of ours by the same name. */
export function isOwn(name: string, { setting }: RockshrewFlag): boolean {
  return setting !== undefined && flagOf(setting) === `--${name}`;
}

export function fromRockshrew(flags: Readonly<Record<string, unknown>>, environment: NodeJS.ProcessEnv): FromRockshrew {
  const whole = flags[AS_ROCKSHREW] === true;
  const found = { flags: new Map() as Settings, environment: new Map() as Settings, notes: [] };
  const reader = new Reader(found.notes);
  for (const [name, flag] of Object.entries(ROCKSHREW_FLAGS)) {
    const text = textOf(flags, name);
    if (text !== undefined) {
      if (whole || !isOwn(name, flag)) reader.take(found.flags, `--${name}`, flag, text);
      continue;
    }
    const { variable } = flag;
    const value = whole && variable !== undefined ? environment[variable] : undefined;
    if (variable !== undefined && value !== undefined) reader.take(found.environment, variable, flag, value);
  }
  if (whole) reader.log(found.environment, environment);
  return found;
}

type Settings = Map<OptionName, Given | undefined>;

class Reader {
  readonly #notes: Remark[];

  constructor(notes: Remark[]) {
    this.#notes = notes;
  }

  take(into: Settings, origin: string, flag: RockshrewFlag, text: string): void {
    const { setting, about } = flag;
    if (setting === undefined) {
      this.#note(origin, about);
      return;
    }
    const { value, also, note } = flag.take?.(text) ?? { value: text };
    if (note !== undefined) this.#note(origin, note);
    const before = into.get(setting);
    if (before !== undefined) this.#note(before.origin, `${origin} counts, which gives the same setting`);
    into.set(setting, value === undefined ? undefined : { origin, raw: value });
    if (also !== undefined && !into.has(also[0])) into.set(also[0], { origin, raw: also[1] });
  }

  log(into: Settings, environment: NodeJS.ProcessEnv): void {
    for (const [name, reason] of Object.entries(ROCKSHREW_VARIABLES)) {
      if (environment[name] !== undefined) this.#note(name, reason);
    }
    const text = environment.RUST_LOG;
    if (text === undefined || text === '') return;
    const raw = rustLogLevel(text);
    if (raw === undefined) this.#note('RUST_LOG', 'it names no level for this program: give --log-level');
    else into.set('logLevel', { origin: 'RUST_LOG', raw });
  }

  #note(origin: string, reason: string): void {
    this.#notes.push({ origin, reason });
  }
}

/** The value of a flag as commander gives it; `true` for a switch. */
function textOf(flags: Readonly<Record<string, unknown>>, name: string): string | undefined {
  // Commander takes --no-… for the opposite of a switch.
  if (name.startsWith('no-')) return flags[camelOf(`--${name.slice('no-'.length)}`)] === false ? 'true' : undefined;
  const raw = flags[camelOf(`--${name}`)];
  return raw === undefined ? undefined : String(raw);
}
