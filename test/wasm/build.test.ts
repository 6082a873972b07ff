import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { decodeModule } from '../../src/program/decode.js';
import { blockHashModule, builtPrograms, defaultIndexer, guestModule } from '../../src/util/built-wasm.js';
import { ROOT } from '../helpers/cli.js';

test('compiling the programs again gives the same bytes', () => {
  const out = mkdtempSync(join(tmpdir(), 'warpshrew-wasm-'));
  try {
    const { status, stderr } = spawnSync(process.execPath, [join(ROOT, 'scripts/build-wasm.mjs'), out], {
      encoding: 'utf8',
    });
    expect(status, stderr).toBe(0);
    for (const [name, wasm] of Object.entries(builtPrograms())) {
      expect(new Uint8Array(readFileSync(join(out, 'programs', `${name}.wasm`)))).toEqual(wasm);
    }
    expect(new Uint8Array(readFileSync(join(out, 'indexers/default.wasm')))).toEqual(defaultIndexer());
    expect(new Uint8Array(readFileSync(join(out, 'host/block-hash.wasm')))).toEqual(blockHashModule());
    expect(new Uint8Array(readFileSync(join(out, 'host/guest.wasm')))).toEqual(guestModule());
  } finally {
    rmSync(out, { recursive: true });
  }
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
