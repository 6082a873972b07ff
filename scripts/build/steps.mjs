// The steps of a build. Each writes files of its own into the folder it is given: no file is written by two.
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bundle, ENTRIES } from './bundles.mjs';

/** Resolves with the exit status. Ends with this process. */
function node(root, script, ...args) {
  const child = spawn(process.execPath, [script, ...args], { cwd: root, stdio: 'inherit' });
  const end = () => child.kill('SIGKILL');
  // Before the folder that it writes to is removed.
  process.prependOnceListener('exit', end);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (status) => {
      process.off('exit', end);
      resolve(status ?? 1);
    });
  });
}

function copy(name, from, to) {
  return {
    name,
    inputs: [from],
    tools: [],
    checks: false,
    async run(root, out) {
      if (existsSync(join(root, from))) cpSync(join(root, from), join(out, to), { recursive: true });
      return 0;
    },
  };
}

/** Bundled contracts that are templates, and their places. */
const PROGRAM_TEMPLATES = {
  amm: 'amm/contracts/amm.ts',
  mint: 'amm/contracts/coin.ts',
  claim: 'claim/contracts/claim.ts',
};

/** The text of a bundled contract with what it imports from `warpshrew/sdk`. */
function forStrangers(text) {
  return text
    .replace(/import \* as u128 from '\.\.\/sdk\/u128';/, "import { u128 } from 'warpshrew/sdk';")
    .replace(/'\.\.\/sdk\/\w+'/g, "'warpshrew/sdk'");
}

/**
 * `inputs`: files and folders whose content decides what comes out, relative to the project. `tools`: packages whose
 * version does. `checks`: it also checks types, unless told not to. `run` resolves with an exit status; steps run at
 * the same time.
 */
export const STEPS = [
  {
    name: 'typescript',
    inputs: ['src', 'tsconfig.json', 'scripts/build/bundles.mjs'],
    tools: ['typescript', '@types/node'],
    checks: true,
    async run(root, out, unchecked) {
      const options = ['-p', 'tsconfig.json', '--outDir', out, ...(unchecked ? ['--noCheck'] : [])];
      const status = await node(root, 'node_modules/typescript/bin/tsc', ...options);
      for (const name of ENTRIES) rmSync(join(out, `${name}.js`), { force: true });
      return status;
    },
  },
  {
    name: 'bundles',
    inputs: ['src', 'tsconfig.json', 'scripts/build/bundles.mjs'],
    tools: ['esbuild'],
    checks: false,
    async run(root, out) {
      if (!existsSync(join(root, 'src', `${ENTRIES[0]}.ts`))) return 0;
      for (const { path, contents } of (await bundle(root)).files) {
        mkdirSync(dirname(join(out, path)), { recursive: true });
        writeFileSync(join(out, path), contents);
      }
      return 0;
    },
  },
  {
    name: 'assemblyscript',
    inputs: ['wasm', 'scripts/build-wasm.mjs', 'scripts/build/wasm-targets.mjs'],
    tools: ['assemblyscript'],
    checks: false,
    run: (root, out) => node(root, 'scripts/build-wasm.mjs', join(out, 'wasm')),
  },
  {
    name: 'explorer',
    inputs: ['explorer', 'src/client', 'scripts/build-explorer.mjs', 'package-lock.json'],
    tools: [],
    checks: true,
    async run(root, out, unchecked) {
      if (!existsSync(join(root, 'explorer'))) return 0;
      const checked = unchecked ? 0 : node(root, 'node_modules/typescript/bin/tsc', '-p', 'explorer/tsconfig.json');
      const built = await node(root, 'scripts/build-explorer.mjs', join(out, 'explorer'));
      return built || checked;
    },
  },
  {
    // Those of bundled contracts are these contracts, with the imports of strangers.
    name: 'templates',
    inputs: ['templates', 'wasm/programs', 'scripts/build/steps.mjs'],
    tools: [],
    checks: false,
    async run(root, out) {
      if (!existsSync(join(root, 'templates'))) return 0;
      cpSync(join(root, 'templates'), join(out, 'templates'), { recursive: true });
      for (const [program, to] of Object.entries(PROGRAM_TEMPLATES)) {
        const text = readFileSync(join(root, 'wasm/programs', `${program}.ts`), 'utf8');
        mkdirSync(dirname(join(out, 'templates', to)), { recursive: true });
        writeFileSync(join(out, 'templates', to), forStrangers(text));
        cpSync(join(root, 'wasm/programs', `${program}.json`), join(out, 'templates', to.replace(/\.ts$/, '.json')));
      }
      return 0;
    },
  },
  copy('kernels', 'kernels', 'kernels'),
  copy('chain', 'fixtures/regtest', 'chains/regtest'),
  {
    // Contracts outside of this project get the modules that bear mistakes in the place of those that are as short as
    // they can be, which the bundled contracts are made of: their code is part of chains.
    name: 'sdk',
    inputs: ['wasm/sdk', 'wasm/package-sdk'],
    tools: [],
    checks: false,
    async run(root, out) {
      for (const folder of ['wasm/sdk', 'wasm/package-sdk']) {
        if (existsSync(join(root, folder))) cpSync(join(root, folder), join(out, 'sdk'), { recursive: true });
      }
      return 0;
    },
  },
];
