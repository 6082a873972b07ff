/**
 * A disputed call as bytes: a line with name, version and CRC-32 (hex), then JSON. Bounded, and read as if anybody
 * could have written it.
 */
import { createHash } from 'node:crypto';
import { InputError } from '../../errors/errors.js';
import { MAX_KEYS_PER_CALL } from '../../gpu/pack/records.js';
import type { GpuStatus } from '../../gpu/pack/types.js';
import { MAX_CALL_FUEL, STATUSES } from '../../gpu/translate/layout.js';
import { prepareProgram } from '../../program/prepare.js';
import { REVERT_REASONS } from '../../program/types.js';
import { concatBytes, fromHex, toHex } from '../../util/bytes.js';
import { crc32 } from '../../util/crc32.js';
import type { CallEnd, DisputedCall } from './cross-check.js';

/** Raised whenever the form changes. */
const VERSION = 1;
const NAME = 'warpshrew call';
/** Bytes of a dump at most: a program, and keys, values and results in hex. */
export const MOST_DUMP_BYTES = 16 * 1024 * 1024;
const HEX = /^(?:[0-9a-f]{2})*$/;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** The dump of `disputed`; undefined: it would be too large. `adapter`: what the kernel ran on. */
export function encodeDump({ txid, call, kernel, cpu }: DisputedCall, adapter: string): Uint8Array | undefined {
  const text = encoder.encode(
    `${JSON.stringify({
      adapter,
      txid,
      height: call.height,
      fuel: call.fuel,
      program: call.program.hash,
      wasm: toHex(call.program.source),
      context: toHex(call.context),
      reads: call.reads.map(({ key, value }) => [toHex(key), value === undefined ? null : toHex(value)]),
      writes: call.writes.map((key) => toHex(key)),
      kernel: endFields(kernel),
      cpu: endFields(cpu),
    })}\n`,
  );
  const dump = concatBytes(encoder.encode(`${NAME} ${VERSION} ${crc32(text).toString(16)}\n`), text);
  return dump.length > MOST_DUMP_BYTES ? undefined : dump;
}

function endFields({ status, reason, fuelLeft, result, touched }: CallEnd): object {
  return { status, reason, fuelLeft, result: result === undefined ? null : toHex(result), touched };
}

export interface CallDump extends DisputedCall {
  readonly adapter: string;
}

/**
 * Reads what {@link encodeDump} wrote. Throws InputError `DUMP_DAMAGED` for anything else, ProgramError for a program
 * that the lane refuses.
 */
export function decodeDump(bytes: Uint8Array): CallDump {
  if (bytes.length > MOST_DUMP_BYTES) throw damaged('it is larger than any dump');
  const end = bytes.subarray(0, 64).indexOf(0x0a);
  const head = decoder.decode(bytes.subarray(0, Math.max(0, end)));
  const [, version, sum] = /^warpshrew call (\d{1,9}) ([0-9a-f]{1,8})$/.exec(head) ?? [];
  if (version === undefined) throw damaged('it does not begin as a dump does');
  if (Number(version) !== VERSION) throw damaged(`it is of version ${version}, and this reads version ${VERSION}`);
  const text = bytes.subarray(end + 1);
  if (crc32(text) !== Number.parseInt(sum, 16)) throw damaged('its checksum is wrong');
  let value: unknown;
  try {
    value = JSON.parse(decoder.decode(text));
  } catch {
    throw damaged('it holds no JSON');
  }
  return dumpOf(new Fields(value, 'dump'));
}

function dumpOf(fields: Fields): CallDump {
  const wasm = fields.bytes('wasm');
  const hash = createHash('sha256').update(wasm).digest('hex');
  if (hash !== fields.text('program')) throw damaged('its program has another hash');
  const reads = fields.list('reads', (pair) => {
    if (!Array.isArray(pair) || pair.length !== 2) throw damaged('a read is no pair');
    return { key: hexOf(pair[0], 'a key'), value: pair[1] === null ? undefined : hexOf(pair[1], 'a value') };
  });
  return {
    adapter: fields.text('adapter'),
    txid: toHex(hexOf(fields.text('txid'), 'the txid')),
    call: {
      height: fields.count('height', 0xffffffff),
      fuel: fields.count('fuel', MAX_CALL_FUEL),
      context: fields.bytes('context'),
      reads,
      writes: fields.list('writes', (key) => hexOf(key, 'a key')),
      program: prepareProgram(wasm, hash),
    },
    kernel: endOf(fields.object('kernel'), reads.length),
    cpu: endOf(fields.object('cpu'), reads.length),
  };
}

function endOf(fields: Fields, reads: number): CallEnd {
  const touched = fields.list('touched', (one) => {
    if (typeof one !== 'boolean') throw damaged('a mark of a read is neither true nor false');
    return one;
  });
  if (touched.length !== reads) throw damaged('it has other reads than marks of them');
  return {
    status: fields.oneOf<GpuStatus>('status', STATUSES),
    reason: fields.oneOf('reason', REVERT_REASONS),
    fuelLeft: fields.count('fuelLeft', MAX_CALL_FUEL),
    result: fields.isNull('result') ? undefined : fields.bytes('result'),
    touched,
  };
}

/** Checks what it gives out. */
class Fields {
  readonly #of: Readonly<Record<string, unknown>>;

  constructor(value: unknown, what: string) {
    if (typeof value !== 'object' || value === null) throw damaged(`${what} is no object`);
    this.#of = value as Readonly<Record<string, unknown>>;
  }

  isNull(name: string): boolean {
    return this.#of[name] === null;
  }

  text(name: string): string {
    const value = this.#of[name];
    if (typeof value !== 'string' || value.length > 512) throw damaged(`${name} is no short text`);
    return value;
  }

  bytes(name: string): Uint8Array {
    return hexOf(this.#of[name], name);
  }

  count(name: string, most: number): number {
    const value = this.#of[name];
    if (typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most) return value;
    throw damaged(`${name} is no whole number up to ${most}`);
  }

  oneOf<T extends string>(name: string, choices: readonly T[]): T {
    const found = choices.find((choice) => choice === this.#of[name]);
    if (found === undefined) throw damaged(`${name} is none of ${choices.join(', ')}`);
    return found;
  }

  object(name: string): Fields {
    return new Fields(this.#of[name], name);
  }

  list<T>(name: string, read: (value: unknown) => T): T[] {
    const value = this.#of[name];
    if (!Array.isArray(value) || value.length > MAX_KEYS_PER_CALL) throw damaged(`${name} is no list of keys`);
    return value.map(read);
  }
}

function hexOf(value: unknown, what: string): Uint8Array {
  if (typeof value !== 'string' || !HEX.test(value)) throw damaged(`${what} is no hex`);
  return fromHex(value);
}

function damaged(why: string): InputError {
  return new InputError('DUMP_DAMAGED', `the dump cannot be read: ${why}`, {
    hint: 'Copy it again from the folder of the database, unchanged.',
  });
}
