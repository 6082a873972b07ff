// What is compiled from wasm/, and how: the contracts of the parallel lane, the default standard module, and the code
// that the indexer itself runs. Same sources and compiler version, same bytes.
import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import asc from 'assemblyscript/asc';

// The stub runtime never frees and pulls in no code that is not used; our abort is the SDK's, so no file names are
// linked in.
const COMMON = ['--runtime', 'stub', '-O3', '--converge', '--noAssert', '--disable', 'nontrapping-f2i'];

/** `source`: in the project; `target`: what is made of it, below `wasm/` of a build. */
export const WASM_TARGETS = [
  // Memory is fixed: a program that never grows can keep its memory in a small array of the kernel.
  ...['claim', 'amm', 'mint', 'ledger', 'names', 'probe'].map((name) => ({
    source: `wasm/programs/${name}.ts`,
    target: `programs/${name}.wasm`,
    flags: ['--initialMemory', name === 'probe' ? '2' : '1', '--maximumMemory', name === 'probe' ? '2' : '1'],
  })),
  // Contracts that call contracts, for tests: these the kernel leaves to the CPU.
  ...['actor', 'bank', 'burner', 'factory', 'pool', 'proxy', 'recursion', 'thief'].map((name) => ({
    source: `wasm/calls/${name}.ts`,
    target: `calls/${name}.wasm`,
    flags: ['--initialMemory', '1', '--maximumMemory', '1'],
  })),
  // This one grows its memory.
  { source: 'wasm/calls/limits.ts', target: 'calls/limits.wasm', flags: ['--initialMemory', '1'] },
  // Vector instructions are part of WebAssembly 2.0, which Metashrew hosts run.
  {
    source: 'wasm/indexers/default.ts',
    target: 'indexers/default.wasm',
    flags: ['--initialMemory', '1', '--enable', 'simd'],
  },
  {
    source: 'wasm/bench/heavy.ts',
    target: 'bench/heavy.wasm',
    flags: ['--initialMemory', '1', '--maximumMemory', '1'],
  },
  { source: 'wasm/bench/bulk.ts', target: 'bench/bulk.wasm', flags: ['--initialMemory', '1'] },
  {
    source: 'wasm/bench/outpoints.ts',
    target: 'bench/outpoints.wasm',
    flags: ['--initialMemory', '1', '--enable', 'simd'],
  },
  // Native WASM of the indexer: every V8 that it runs on has vector instructions.
  ...['block-hash', 'lane-scan'].map((name) => ({
    source: `wasm/native/${name}.ts`,
    target: `native/${name}.wasm`,
    flags: ['--initialMemory', name === 'lane-scan' ? '4' : '1', '--enable', 'simd'],
  })),
  // Another thread hashes what is in the memory of this one.
  {
    source: 'wasm/native/state-tree.ts',
    target: 'native/state-tree.wasm',
    flags: [
      ...['--initialMemory', '1', '--maximumMemory', '65536', '--enable', 'simd', '--enable', 'threads'],
      ...['--importMemory', '--noExportMemory', '--sharedMemory', '--zeroFilledMemory'],
    ],
  },
  // Its memory holds programs and their memories, as large as JavaScript makes it.
  {
    source: 'wasm/native/interpreter.ts',
    target: 'native/interpreter.wasm',
    flags: ['--importMemory', '--noExportMemory'],
  },
  // Its memory and its fuel are those of a program.
  { source: 'wasm/native/guest.ts', target: 'native/guest.wasm', flags: ['--importMemory', '--noExportMemory'] },
];

/** Compiles one target of the project at `root` to `outFile`; gives what the compiler says if it fails or warns. */
export async function compileWasm(root, { source, flags }, outFile) {
  mkdirSync(dirname(outFile), { recursive: true });
  const { error, stdout, stderr } = await asc.main([
    source,
    '--baseDir',
    root,
    '--outFile',
    outFile,
    ...COMMON,
    ...flags,
  ]);
  if (!error && !stderr.toString().includes('WARNING')) return undefined;
  return `${stdout}${stderr}${source}: ${error?.message ?? 'the compiler warns'}`;
}
