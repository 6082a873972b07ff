/** secp256k1 (SEC 2), y² = x³ + 7, in BigInt: for tables and constants computed once, never for data of a message. */

export const FIELD = 2n ** 256n - 2n ** 32n - 977n;
export const ORDER = 0xffffffff_ffffffff_ffffffff_fffffffe_baaedce6_af48a03b_bfd25e8c_d0364141n;
export const GENERATOR: AffinePoint = {
  x: 0x79be667e_f9dcbbac_55a06295_ce870b07_029bfcdb_2dce28d9_59f2815b_16f81798n,
  y: 0x483ada77_26a3c465_5da4fbfc_0e1108a8_fd17b448_a6855419_9c47d08f_fb10d4b8n,
};

/** A point that is not infinity. */
export interface AffinePoint {
  readonly x: bigint;
  readonly y: bigint;
}

/** The residue of `value` in [0, modulus). */
export function modulo(value: bigint, modulus: bigint): bigint {
  const rest = value % modulus;
  return rest < 0n ? rest + modulus : rest;
}

function power(base: bigint, exponent: bigint, modulus: bigint): bigint {
  let result = 1n;
  for (let b = modulo(base, modulus), e = exponent; e > 0n; e >>= 1n, b = (b * b) % modulus)
    if (e & 1n) result = (result * b) % modulus;
  return result;
}

/** Inverse modulo p by the extended Euclidean algorithm; `value` may not be 0. */
function inverse(value: bigint): bigint {
  let [last, r, before, t] = [FIELD, value, 0n, 1n];
  while (r !== 0n) {
    const quotient = last / r;
    [last, r, before, t] = [r, last - quotient * r, t, before - quotient * t];
  }
  return modulo(before, FIELD);
}

/** Inverses of all `values` modulo p, at the cost of one inversion; none may be 0. */
function inverses(values: readonly bigint[]): bigint[] {
  const products: bigint[] = [];
  let product = 1n;
  for (const value of values) {
    products.push(product);
    product = (product * value) % FIELD;
  }
  let rest = inverse(product);
  const out: bigint[] = new Array(values.length);
  for (let i = values.length - 1; i >= 0; i--) {
    out[i] = (rest * (products[i] ?? 0n)) % FIELD;
    rest = (rest * (values[i] ?? 0n)) % FIELD;
  }
  return out;
}

/** `left[i] + right[i]` for all i. No sum may be infinity; equal points are doubled. */
export function addAll(left: readonly AffinePoint[], right: readonly AffinePoint[]): AffinePoint[] {
  const pairs = left.map((a, i): [AffinePoint, AffinePoint] => [a, right[i] ?? a]);
  const below = inverses(pairs.map(([a, b]) => modulo(a.x === b.x ? 2n * a.y : b.x - a.x, FIELD)));
  return pairs.map(([a, b], i) => {
    const slope = modulo((a.x === b.x ? 3n * a.x * a.x : b.y - a.y) * (below[i] ?? 0n), FIELD);
    const x = modulo(slope * slope - a.x - b.x, FIELD);
    return { x, y: modulo(slope * (a.x - x) - a.y, FIELD) };
  });
}

/** `scalar · point` for a scalar that is not a multiple of the order. */
export function multiply(point: AffinePoint, scalar: bigint): AffinePoint {
  let sum: AffinePoint | undefined;
  let double = point;
  for (let k = modulo(scalar, ORDER); k > 0n; k >>= 1n) {
    if (k & 1n) sum = sum === undefined ? double : addAll([sum], [double])[0];
    double = addAll([double], [double])[0] ?? double;
  }
  return sum ?? point;
}

/**
 * The endomorphism λ·(x, y) = (β·x, y), with λ³ = 1 mod n and β³ = 1 mod p, and two short vectors (a, b) with
 * a + b·λ = 0 mod n that span the lattice of all such vectors (Gallant, Lambert, Vanstone).
 */
export interface Endomorphism {
  readonly beta: bigint;
  readonly lambda: bigint;
  readonly basis: readonly [LatticeVector, LatticeVector];
}

export interface LatticeVector {
  readonly a: bigint;
  readonly b: bigint;
}

export function endomorphism(): Endomorphism {
  const beta = cubeRootOfOne(FIELD);
  const root = cubeRootOfOne(ORDER);
  const image = multiply(GENERATOR, root);
  // The other root is the square.
  const lambda = image.x === (beta * GENERATOR.x) % FIELD ? root : (root * root) % ORDER;
  return { beta, lambda, basis: shortBasis(lambda) };
}

function cubeRootOfOne(prime: bigint): bigint {
  for (let base = 2n; ; base++) {
    const root = power(base, (prime - 1n) / 3n, prime);
    if (root !== 1n) return root;
  }
}

/** Extended Euclidean algorithm of n and λ, stopped around √n: r = s·n + t·λ, so (r, -t) is in the lattice. */
function shortBasis(lambda: bigint): [LatticeVector, LatticeVector] {
  let before = { r: ORDER, t: 0n };
  let last = { r: lambda, t: 1n };
  const next = (): { r: bigint; t: bigint } => {
    const quotient = before.r / last.r;
    return { r: before.r - quotient * last.r, t: before.t - quotient * last.t };
  };
  while (last.r * last.r >= ORDER) [before, last] = [last, next()];
  const after = next();
  const norm = ({ r, t }: { r: bigint; t: bigint }): bigint => r * r + t * t;
  const second = norm(before) < norm(after) ? before : after;
  return [
    { a: last.r, b: -last.t },
    { a: second.r, b: -second.t },
  ];
}
