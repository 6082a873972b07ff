/** First 32 bits of the fractions of the cube roots of the first 64 primes (FIPS 180-4). */
export function shaConstants(): number[] {
  const primes: number[] = [];
  for (let n = 2; primes.length < 64; n++) if (primes.every((prime) => n % prime !== 0)) primes.push(n);
  return primes.map((prime) => {
    // The largest root with root³ ≤ prime · 2^96, bit by bit.
    let root = 0n;
    for (let bit = 1n << 34n; bit > 0n; bit >>= 1n) {
      const next = root | bit;
      if (next ** 3n <= BigInt(prime) << 96n) root = next;
    }
    return Number(root & 0xffff_ffffn);
  });
}
