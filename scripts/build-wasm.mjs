// Compiles wasm/ to dist/wasm/: the contracts of the parallel lane and the default standard module.
// Same sources and compiler version, same bytes. With an argument, the output goes to that folder instead of dist/wasm.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
const out = process.argv[2] ?? join(root, 'dist/wasm');

// The stub runtime never frees and pulls in no code that is not used; our abort is the SDK's, so no file names are
// linked in.
const common = ['--runtime', 'stub', '-O3', '--converge', '--noAssert', '--disable', 'nontrapping-f2i'];

const targets = [
  // Memory is fixed: a program that never grows can keep its memory in a small array of the kernel.
  ...['claim', 'amm', 'mint', 'ledger', 'names', 'probe'].map((name) => ({
    source: `wasm/programs/${name}.ts`,
    target: `programs/${name}.wasm`,
    flags: ['--initialMemory', name === 'probe' ? '2' : '1', '--maximumMemory', name === 'probe' ? '2' : '1'],
  })),
  { source: 'wasm/indexers/default.ts', target: 'indexers/default.wasm', flags: ['--initialMemory', '1'] },
  { source: 'wasm/bench/bulk.ts', target: 'bench/bulk.wasm', flags: ['--initialMemory', '1'] },
  // Native WASM of the indexer: every V8 that it runs on has vector instructions.
  ...['block-hash', 'state-tree'].map((name) => ({
    source: `wasm/native/${name}.ts`,
    target: `native/${name}.wasm`,
    flags: ['--initialMemory', '1', '--enable', 'simd'],
  })),
  // Its memory and its fuel are those of a program.
  { source: 'wasm/native/guest.ts', target: 'native/guest.wasm', flags: ['--importMemory', '--noExportMemory'] },
];

for (const { source, target, flags } of targets) {
  const outFile = join(out, target);
  mkdirSync(join(outFile, '..'), { recursive: true });
  const { error, stdout, stderr } = await asc.main([
    source,
    '--baseDir',
    root,
    '--outFile',
    outFile,
    ...common,
    ...flags,
  ]);
  if (error || stderr.toString().includes('WARNING')) {
    process.stderr.write(`${stdout}${stderr}build-wasm: ${source}: ${error?.message ?? 'the compiler warns'}\n`);
    process.exit(1);
  }
}
