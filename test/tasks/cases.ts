import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { pointFromScalar, sign, signSchnorr, xOnlyPointFromScalar } from 'tiny-secp256k1';
import { FIELD, GENERATOR, modulo, multiply, ORDER } from '../../src/gpu/intrinsics/secp256k1/curve.js';
import type { MerkleAnswer } from '../../src/tasks/tasks.js';
import type { EcdsaBatch, SchnorrBatch, Sha256Batch } from '../../src/tasks/work/requests.js';
import { concatBytes, fromHex, toHex } from '../../src/util/bytes.js';

const sha256 = (...parts: Uint8Array[]): Uint8Array =>
  Uint8Array.from(
    createHash('sha256')
      .update(concatBytes(...parts))
      .digest(),
  );
const bytesOf = (value: bigint): Uint8Array => fromHex(value.toString(16).padStart(64, '0'));
const numberOf = (bytes: Uint8Array): bigint => BigInt(`0x${toHex(bytes)}`);
/** 32 bytes that depend only on the name. */
export const seeded = (name: string): Uint8Array => sha256(new TextEncoder().encode(name));

export function offsetsOf(parts: readonly Uint8Array[]): Uint32Array {
  const offsets = new Uint32Array(parts.length + 1);
  parts.forEach(({ length }, i) => {
    offsets[i + 1] = offsets[i] + length;
  });
  return offsets;
}

/** Messages of lengths that depend on their number, among them all that padding cares about. */
export function messages(count: number): { readonly batch: Sha256Batch; readonly parts: readonly Uint8Array[] } {
  const parts = Array.from({ length: count }, (_, i) => {
    const length = i < 200 ? i : (i * 37) % 400;
    return new Uint8Array(length).map((_byte, k) => (k * 7 + i * 13) & 0xff);
  });
  return { batch: { bytes: concatBytes(...parts), offsets: offsetsOf(parts) }, parts };
}

export function digests(parts: readonly Uint8Array[], twice: boolean): Uint8Array {
  return concatBytes(...parts.map((part) => (twice ? sha256(sha256(part)) : sha256(part))));
}

export const leavesOf = (count: number): Uint8Array =>
  concatBytes(...Array.from({ length: count }, (_, i) => seeded(`leaf ${i}`)));

/** Bitcoin's tree, level by level, as slow and plain as can be. */
export function levelsOf(leaves: Uint8Array): Uint8Array[] {
  const levels: Uint8Array[] = [];
  let nodes = leaves;
  while (nodes.length > 32) {
    const above: Uint8Array[] = [];
    for (let at = 0; at < nodes.length; at += 64) {
      const left = nodes.subarray(at, at + 32);
      const right = at + 32 < nodes.length ? nodes.subarray(at + 32, at + 64) : left;
      above.push(sha256(sha256(left, right)));
    }
    nodes = concatBytes(...above);
    levels.push(nodes);
  }
  return levels;
}

/** A tree in few characters: a difference between large arrays takes minutes to print. */
export function shown({ root, mutated, levels }: MerkleAnswer): unknown {
  return { root: toHex(root), mutated, levels: levels.map((level) => `${level.length} ${toHex(sha256(level))}`) };
}

export interface Verdicts<B> {
  readonly batch: B;
  readonly expected: Uint8Array;
  /** What each row is there for. */
  readonly names: readonly string[];
}

interface SchnorrRow {
  readonly message: Uint8Array;
  readonly key: Uint8Array;
  readonly signature: Uint8Array;
  readonly valid: boolean;
  readonly name: string;
}

interface Vector {
  readonly index: number;
  readonly publicKey: string;
  readonly message: string;
  readonly signature: string;
  readonly valid: boolean;
  readonly comment: string;
}

function schnorrBatch(rows: readonly SchnorrRow[]): Verdicts<SchnorrBatch> {
  return {
    batch: {
      messages: concatBytes(...rows.map(({ message }) => message)),
      keys: concatBytes(...rows.map(({ key }) => key)),
      signatures: concatBytes(...rows.map(({ signature }) => signature)),
    },
    expected: Uint8Array.from(rows, ({ valid }) => (valid ? 1 : 0)),
    names: rows.map(({ name }) => name),
  };
}

/** The published vectors of BIP340 whose messages have 32 bytes. */
export function schnorrVectors(): Verdicts<SchnorrBatch> {
  const file = new URL('../../fixtures/vectors/bip340.json', import.meta.url);
  const vectors = JSON.parse(readFileSync(file, 'utf8')) as Vector[];
  const short = vectors.filter(({ message }) => message.length === 64);
  return schnorrBatch(
    short.map(({ index, publicKey, message, signature, valid, comment }) => ({
      message: fromHex(message),
      key: fromHex(publicKey),
      signature: fromHex(signature),
      valid,
      name: `${index} ${comment}`,
    })),
  );
}

/** Signatures of a library, every third with one bit of message, key or signature changed. */
export function schnorrRows(count: number, seed: string): Verdicts<SchnorrBatch> {
  return schnorrBatch(
    Array.from({ length: count }, (_, i): SchnorrRow => {
      const secret = seeded(`${seed} key ${i}`);
      const parts = [seeded(`${seed} message ${i}`), xOnlyPointFromScalar(secret)];
      parts.push(signSchnorr(parts[0], secret));
      const changes = i % 3 === 1;
      if (changes) {
        const part = Uint8Array.from(parts[i % 2 === 0 ? 2 : 0]);
        part[(i * 5) % part.length] ^= 1 << (i & 7);
        parts[i % 2 === 0 ? 2 : 0] = part;
      }
      return { message: parts[0], key: parts[1], signature: parts[2], valid: !changes, name: `${i}` };
    }),
  );
}

export interface EcdsaRow {
  readonly digest: Uint8Array;
  readonly key: Uint8Array;
  readonly signature: Uint8Array;
  readonly valid: boolean;
  readonly name: string;
}

export function ecdsaBatch(rows: readonly EcdsaRow[]): Verdicts<EcdsaBatch> {
  const keys = rows.map(({ key }) => key);
  return {
    batch: {
      digests: concatBytes(...rows.map(({ digest }) => digest)),
      keys: concatBytes(...keys),
      keyOffsets: offsetsOf(keys),
      signatures: concatBytes(...rows.map(({ signature }) => signature)),
    },
    expected: Uint8Array.from(rows, ({ valid }) => (valid ? 1 : 0)),
    names: rows.map(({ name }) => name),
  };
}

function inverse(value: bigint): bigint {
  let [result, base] = [1n, modulo(value, ORDER)];
  for (let e = ORDER - 2n; e > 0n; e >>= 1n, base = (base * base) % ORDER) if (e & 1n) result = (result * base) % ORDER;
  return result;
}

function keyOf(point: { readonly x: bigint; readonly y: bigint }, form: 'short' | 'long' | 'hybrid'): Uint8Array {
  const parity = Number(point.y & 1n);
  if (form === 'short') return concatBytes(Uint8Array.of(2 + parity), bytesOf(point.x));
  return concatBytes(Uint8Array.of(form === 'long' ? 4 : 6 + parity), bytesOf(point.x), bytesOf(point.y));
}

/** The signature of a digest under secret `d` with nonce `k`. */
function signed(digest: Uint8Array, d: bigint, k: bigint): { readonly r: bigint; readonly s: bigint } {
  const r = multiply(GENERATOR, k).x % ORDER;
  return { r, s: (inverse(k) * (numberOf(digest) + r * d)) % ORDER };
}

const compact = (r: bigint, s: bigint): Uint8Array => concatBytes(bytesOf(r), bytesOf(s));

/** Published signatures, and the edges of r, s, keys and points, each with what consensus says. */
export function ecdsaEdges(): Verdicts<EcdsaBatch> {
  const rows: EcdsaRow[] = [];
  const add = (name: string, valid: boolean, digest: Uint8Array, key: Uint8Array, signature: Uint8Array): void => {
    rows.push({ name, valid, digest, key, signature });
  };
  const text = (message: string): Uint8Array => sha256(new TextEncoder().encode(message));
  // RFC 6979 for secp256k1, secret 1.
  const one = keyOf(GENERATOR, 'short');
  add(
    'RFC 6979: Satoshi Nakamoto',
    true,
    text('Satoshi Nakamoto'),
    one,
    fromHex(
      '934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8' +
        '2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5',
    ),
  );
  add(
    'RFC 6979: tears in rain',
    true,
    text('All those moments will be lost in time, like tears in rain. Time to die...'),
    one,
    fromHex(
      '8600dbd41e348fe5c9465ab92d23e3db8b98b873beecd930736488696438cb6b' +
        '547fe64427496db33bf66019dacbf0039c04199abb0122918601db38a72cfc21',
    ),
  );
  // The first payment between two people: block 170.
  add(
    'block 170',
    true,
    fromHex('7a05c6145f10101e9d6325494245adf1297d80f8f38d4d576d57cdba220bcb19'),
    fromHex(
      '0411db93e1dcdb8a016b49840f8c53bc1eb68a382e97b1482ecad7b148a6909a5c' +
        'b2e0eaddfb84ccf9744464f82e160bfa9b8b64f9d4c03f999b8643f656b412a3',
    ),
    fromHex(
      '4e45e16932b8af514961a1d3a1a25fdf3f4f7732e9d624c6c61548ab5fb8cd41' +
        '181522ec8eca07de4860a4acdd12909d831cc56cbbac4622082221a8768d1d09',
    ),
  );
  const [d, k] = [modulo(numberOf(seeded('d')), ORDER), modulo(numberOf(seeded('k')), ORDER)];
  const point = multiply(GENERATOR, d);
  const digest = seeded('digest');
  const { r, s } = signed(digest, d, k);
  const key = keyOf(point, 'short');
  const flipped = keyOf({ x: point.x, y: FIELD - point.y }, 'short');
  add('s', true, digest, key, compact(r, s));
  add('the other s: one of both is high', true, digest, key, compact(r, ORDER - s));
  add('an uncompressed key', true, digest, keyOf(point, 'long'), compact(r, s));
  add('a hybrid key', true, digest, keyOf(point, 'hybrid'), compact(r, s));
  const hybrid = keyOf(point, 'hybrid');
  hybrid[0] ^= 1;
  add('a hybrid key of the wrong parity', false, digest, hybrid, compact(r, s));
  add('the other y', false, digest, flipped, compact(r, s));
  for (const [name, value] of [
    ['0', 0n],
    ['1', 1n],
    ['n - 1', ORDER - 1n],
    ['n', ORDER],
    ['n + 1', ORDER + 1n],
    ['2^256 - 1', 2n ** 256n - 1n],
  ] as const) {
    add(`r = ${name}`, false, digest, key, compact(value, s));
    add(`s = ${name}`, false, digest, key, compact(r, value));
  }
  add('r + n', false, digest, key, compact(modulo(r + ORDER, 2n ** 256n), s));
  for (const [name, x] of [
    ['5: not on the curve', 5n],
    ['0: not on the curve', 0n],
    ['p', FIELD],
    ['p + 1: on the curve modulo p', FIELD + 1n],
    ['2^256 - 1', 2n ** 256n - 1n],
  ] as const) {
    add(`key x = ${name}`, false, digest, concatBytes(Uint8Array.of(2), bytesOf(x)), compact(r, s));
  }
  for (const y of [0n, 1n, FIELD - point.y, FIELD, FIELD - 1n, 2n ** 256n - 1n]) {
    const wrong = concatBytes(Uint8Array.of(4), bytesOf(point.x), bytesOf(y));
    add(`key y = ${y.toString(16)}`, false, digest, wrong, compact(r, s));
  }
  for (const wrong of [
    key.subarray(1),
    key.subarray(0, 32),
    new Uint8Array(0),
    new Uint8Array(33),
    new Uint8Array(65),
  ]) {
    add(`a key of ${wrong.length} bytes`, false, digest, wrong, compact(r, s));
  }
  add('prefix 5', false, digest, concatBytes(Uint8Array.of(5), key.subarray(1)), compact(r, s));
  // Digests of 0 and beyond n: z is taken modulo n.
  for (const value of [0n, 1n, ORDER - 1n, ORDER, ORDER + 1n, 2n ** 256n - 1n]) {
    const z = bytesOf(value);
    const own = signed(z, d, k + 1n);
    add(`digest ${value.toString(16)}`, true, z, key, compact(own.r, own.s));
  }
  // x of the sum is at least n, so that r is x - n: whoever makes the key from the signature gets there.
  for (let small = 1n, found = 0; found < 2; small++) {
    const y = squareRoot(modulo((ORDER + small) ** 3n + 7n, FIELD));
    if (y === undefined) continue;
    found++;
    // Q = (s R - z G) / r with s = 1.
    const at = multiply({ x: ORDER + small, y }, inverse(small));
    const back = multiply(GENERATOR, modulo(-numberOf(digest) * inverse(small), ORDER));
    const made = sum(at, back);
    add(`x of R is n + ${small}`, true, digest, keyOf(made, 'short'), compact(small, 1n));
    add(`x of R is n + ${small}, r + 1`, false, digest, keyOf(made, 'short'), compact(small + 1n, 1n));
  }
  // The sum is infinity: z + r d = 0.
  const zero = bytesOf(modulo(-r * d, ORDER));
  add('R is infinity', false, zero, key, compact(r, s));
  // u1 G and u2 Q are the same point, or sums meet on the way: the fast addition cannot add them.
  for (const secret of [1n, 2n, 3n, ORDER - 1n, ORDER >> 1n]) {
    const own = multiply(GENERATOR, secret);
    for (const nonce of [1n, 2n, 3n, ORDER - 2n]) {
      const sig = signed(digest, secret, nonce);
      add(`secret ${secret}, nonce ${nonce}`, true, digest, keyOf(own, 'long'), compact(sig.r, sig.s));
    }
    const same = bytesOf(modulo(multiply(GENERATOR, 2n * secret).x * secret, ORDER));
    const doubled = multiply(GENERATOR, 2n * secret).x % ORDER;
    // z = r d, so that u1 G = u2 Q, and the sum is twice that.
    const nonce = modulo(2n * secret, ORDER);
    add(
      `twice the same, ${secret}`,
      true,
      same,
      keyOf(own, 'short'),
      compact(doubled, (2n * doubled * secret * inverse(nonce)) % ORDER),
    );
  }
  return ecdsaBatch(rows);
}

function squareRoot(value: bigint): bigint | undefined {
  let [result, base] = [1n, value];
  for (let e = (FIELD + 1n) / 4n; e > 0n; e >>= 1n, base = (base * base) % FIELD)
    if (e & 1n) result = (result * base) % FIELD;
  return (result * result) % FIELD === value ? result : undefined;
}

type Point = { readonly x: bigint; readonly y: bigint };

function sum(a: Point, b: Point): Point {
  let [below, e] = [1n, FIELD - 2n];
  for (let base = modulo(b.x - a.x, FIELD); e > 0n; e >>= 1n, base = (base * base) % FIELD)
    if (e & 1n) below = (below * base) % FIELD;
  const slope = modulo((b.y - a.y) * below, FIELD);
  const x = modulo(slope * slope - a.x - b.x, FIELD);
  return { x, y: modulo(slope * (a.x - x) - a.y, FIELD) };
}

/** Signatures of a library under keys of both forms, every third with one bit changed. */
export function ecdsaRows(count: number, seed: string): Verdicts<EcdsaBatch> {
  return ecdsaBatch(
    Array.from({ length: count }, (_, i): EcdsaRow => {
      const secret = seeded(`${seed} key ${i}`);
      const digest = seeded(`${seed} digest ${i}`);
      const signature = Uint8Array.from(sign(digest, secret));
      const key = pointFromScalar(secret, i % 2 === 0) ?? new Uint8Array(33);
      const changes = i % 3 === 1;
      if (changes) signature[(i * 5) % 64] ^= 1 << (i & 7);
      return { digest, key, signature, valid: !changes, name: `${i}` };
    }),
  );
}
