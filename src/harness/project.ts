/** A project of contracts: where its parts lie. */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { UsageError } from '../errors/errors.js';

const CONFIG_FILE = 'warpshrew.json';

/** One contract of a project. */
export interface ContractSource {
  readonly name: string;
  /** A file of AssemblyScript or WASM, or a folder with a `Cargo.toml`. */
  readonly path: string;
}

export interface Project {
  readonly folder: string;
  readonly contracts: readonly ContractSource[];
  /** Files of tests. */
  readonly tests: readonly string[];
  /** What is made of the sources. */
  readonly build: string;
  readonly fuelFile: string;
}

const NAME = /^[a-z][a-z0-9-]{0,63}$/i;
const MOST_CONFIG_BYTES = 1 << 20;

/**
 * The project in `folder`: its contracts are `contracts/NAME.ts` and `contracts/NAME/Cargo.toml`, or what
 * `warpshrew.json` names; its tests `tests/*.test.ts`. Throws UsageError USAGE_TEST_PROJECT if that is none.
 */
export function readProject(folder: string): Project {
  const root = resolve(folder);
  const named = configOf(root);
  const contracts = named ?? found(root);
  if (contracts.length === 0) throw noProject(root, 'it has no contracts');
  const tests = join(root, 'tests');
  return {
    folder: root,
    contracts,
    tests: filesOf(tests)
      .filter((name) => name.endsWith('.test.ts'))
      .map((name) => join(tests, name)),
    build: join(root, 'build'),
    fuelFile: join(root, 'fuel.txt'),
  };
}

function noProject(folder: string, why: string): UsageError {
  return new UsageError('USAGE_TEST_PROJECT', `the folder is no project of contracts: ${why}`, {
    facts: { folder },
    hint: `Run it where ${CONFIG_FILE} lies; \`warpshrew new NAME\` makes a project.`,
  });
}

/** What `warpshrew.json` names; undefined if it names none. */
function configOf(root: string): ContractSource[] | undefined {
  const file = join(root, CONFIG_FILE);
  if (!existsSync(file)) throw noProject(root, `${CONFIG_FILE} is missing`);
  if (statSync(file).size > MOST_CONFIG_BYTES) throw noProject(root, `${CONFIG_FILE} is too large`);
  let config: unknown;
  try {
    config = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw noProject(root, `${CONFIG_FILE} is not JSON: ${cause instanceof Error ? cause.message : ''}`);
  }
  if (typeof config !== 'object' || config === null || !('contracts' in config)) return undefined;
  const { contracts } = config;
  if (typeof contracts !== 'object' || contracts === null) throw noProject(root, '"contracts" is no object of paths');
  return Object.entries(contracts).map(([name, path]) => {
    if (!NAME.test(name)) throw noProject(root, `${name} is no name of a contract`);
    if (typeof path !== 'string') throw noProject(root, `"contracts" names no path for ${name}`);
    return { name, path: resolve(root, path) };
  });
}

function found(root: string): ContractSource[] {
  const folder = join(root, 'contracts');
  return filesOf(folder).flatMap((name) => {
    const path = join(folder, name);
    if (existsSync(join(path, 'Cargo.toml'))) return [{ name, path }];
    // A file that exports nothing to run is a library of the others.
    const isContract = name.endsWith('.ts') && readFileSync(path, 'utf8').includes('function __execute');
    return isContract ? [{ name: basename(name, '.ts'), path }] : [];
  });
}

function filesOf(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}
