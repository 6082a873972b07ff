import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decodeModule } from '../../src/program/decode.js';
import { builtPrograms } from '../../src/util/built-wasm.js';
import { ROOT } from '../helpers/cli.js';

test('every WASM file has the bytes that it has elsewhere (if not: node scripts/wasm-hashes.mjs)', () => {
  const built = join(ROOT, 'dist', 'wasm');
  const names = readdirSync(built, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.wasm'));
  const hashOf = (name: string): string =>
    createHash('sha256')
      .update(readFileSync(join(built, name)))
      .digest('hex');
  const lines = names.sort().map((name) => `${hashOf(name)}  ${name}`);
  expect(lines).toEqual(
    readFileSync(join(ROOT, 'fixtures', 'wasm.sha256'), 'utf8')
      .trim()
      .split('\n'),
  );
});

test('the programs suit the kernel: fixed memory, no table, no start function, little static data', () => {
  for (const wasm of Object.values(builtPrograms())) {
    const module = decodeModule(wasm);
    expect(module.start).toBeUndefined();
    expect(module.table).toBeUndefined();
    expect(module.memory?.maxPages).toBe(module.memory?.minPages);
    for (const { bytes, offset } of module.dataSegments) {
      expect(offset?.kind === 'i32' && offset.value + bytes.length).toBeLessThan(4096);
    }
    expect(wasm.length).toBeLessThan(8192);
  }
});
