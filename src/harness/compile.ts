/** Contracts from their sources: AssemblyScript by the project's compiler, Rust by cargo. */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { InputError } from '../errors/errors.js';
import { shipped } from '../util/shipped.js';
import { VERSION } from '../util/version.js';
import { type AscParser, COVER_LIBRARY, CoveredSources, type CoverSite } from './cover-source.js';
import { entryWithMeta, metaJson } from './meta-declaration.js';
import { projectPackage } from './packages.js';
import type { ContractSource, Project } from './project.js';

/**
 * Memory that does not grow, which the kernel keeps in registers; no bounds checks, which trap without saying why; and
 * none of the conversions that the lane's rules refuse.
 */
const FLAGS = ['-O3', '--converge', '--noAssert', '--disable', 'nontrapping-f2i'];
const MEMORY = ['--initialMemory', '1', '--maximumMemory', '1'];
/** Statements that ran are bits of the memory. */
const COVER_MEMORY = ['--initialMemory', '2', '--maximumMemory', '2'];
const COVER = 'cover';
/** Where contracts import the SDK from, whatever folder the package lies in. */
const SDK_IMPORT = /(^|\/)node_modules\/warpshrew\/sdk(\/.*)?$/;
const ALLOCATOR = 'rt/stub';
const RUST_TARGET = 'wasm32-unknown-unknown';

/** A contract that was compiled. */
export interface Compiled {
  readonly name: string;
  readonly wasm: Uint8Array;
  /** Whether the sources had changed. */
  readonly fresh: boolean;
}

/** What AssemblyScript's compiler offers, as far as it is used. */
interface Asc {
  /** Its standard library, by path. */
  readonly libraryFiles: Record<string, string>;
  main(
    args: readonly string[],
    options: { readonly readFile: (name: string, folder: string) => string | null },
  ): Promise<{ readonly error: Error | null; readonly stdout: object; readonly stderr: object }>;
}

/**
 * Compiles the contracts of a project whose sources have changed. `skipped` hears of Rust contracts that cannot be
 * built here. Throws InputError CONTRACT_COMPILE with what the compiler says.
 */
export async function compileContracts(project: Project, skipped: (text: string) => void): Promise<Compiled[]> {
  const stamp = sourcesStamp(project);
  const made: Compiled[] = [];
  for (const source of project.contracts) {
    if (source.path.endsWith('.wasm')) {
      made.push({ name: source.name, wasm: new Uint8Array(readFileSync(source.path)), fresh: false });
      continue;
    }
    const file = join(project.build, `${source.name}.wasm`);
    const stampFile = `${file}.stamp`;
    const known = existsSync(file) && existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp;
    if (!known) {
      mkdirSync(project.build, { recursive: true });
      const isRust = !source.path.endsWith('.ts');
      const missing = isRust ? buildRust(source, file) : await buildScript(project, source, file);
      if (missing !== undefined) {
        skipped(`${source.name} is not built: ${missing}`);
        continue;
      }
      writeFileSync(stampFile, stamp);
    }
    made.push({ name: source.name, wasm: new Uint8Array(readFileSync(file)), fresh: !known });
  }
  return made;
}

/**
 * Compiles the contracts of a project so that they tell which of their statements run, and the sites of all; contracts
 * in Rust or WASM stay as they are. Throws what {@link compileScript} does.
 */
export async function compileCovered(
  project: Project,
  compiled: readonly Compiled[],
): Promise<{ readonly contracts: Map<string, Uint8Array>; readonly sites: readonly CoverSite[] }> {
  const covered = new CoveredSources((await projectPackage(project.folder, 'assemblyscript')) as AscParser);
  const contracts = new Map(compiled.map(({ name, wasm }) => [name, wasm]));
  mkdirSync(project.build, { recursive: true });
  for (const { name, path } of project.contracts) {
    if (!path.endsWith('.ts')) continue;
    const file = join(project.build, `${name}.covered.wasm`);
    await compileScript(project.folder, name, path, file, covered);
    contracts.set(name, new Uint8Array(readFileSync(file)));
  }
  return { contracts, sites: covered.sites };
}

/** All that decides what comes out, but the compilers themselves. */
function sourcesStamp({ contracts }: Project): string {
  const hash = createHash('sha256').update(VERSION).update(FLAGS.join(' '));
  const add = (path: string): void => {
    if (!existsSync(path)) return;
    if (statSync(path).isDirectory()) {
      for (const name of readdirSync(path).sort()) if (name !== 'target') add(join(path, name));
    } else if (!path.endsWith('.wasm')) hash.update(path).update('\0').update(readFileSync(path));
  };
  for (const folder of new Set(contracts.map(({ path }) => dirname(path)))) add(folder);
  const sdk = fileURLToPath(shipped('sdk/'));
  for (const name of existsSync(sdk) ? readdirSync(sdk).sort() : []) hash.update(readFileSync(join(sdk, name)));
  return hash.digest('hex');
}

async function buildScript(project: Project, { name, path }: ContractSource, file: string): Promise<undefined> {
  await compileScript(project.folder, name, path, file);
}

/**
 * Compiles a contract in AssemblyScript to `file`, with the packages of the project in `folder`; `NAME.json` beside it
 * becomes its `__meta`. With `covered` it tells which statements run. Throws InputError CONTRACT_COMPILE,
 * CONTRACT_META, FILE_UNREADABLE and UsageError USAGE_TEST_PACKAGE.
 */
export async function compileScript(
  folder: string,
  name: string,
  path: string,
  file: string,
  covered?: CoveredSources,
): Promise<void> {
  const asc = (await projectPackage(folder, 'assemblyscript/asc')) as Asc;
  // One allocator for AssemblyScript's objects and the SDK's buffers: the SDK compiles with no other.
  const { libraryFiles } = asc;
  libraryFiles[ALLOCATOR] = readFileSync(shipped('sdk/stub.ts'), 'utf8');
  const declaration = path.replace(/\.ts$/, '.json');
  const entry = existsSync(declaration) ? `${file}.entry.ts` : path;
  if (entry !== path) {
    const json = metaJson(readFileSync(declaration, 'utf8'), declaration);
    const source = relative(dirname(entry), path).replace(/\.ts$/, '');
    writeFileSync(entry, entryWithMeta(source.startsWith('.') ? source : `./${source}`, json));
  }
  const args = [relative(folder, entry), '--baseDir', folder, '--outFile', relative(folder, file)];
  if (covered !== undefined) libraryFiles[COVER] = COVER_LIBRARY;
  const flags = covered === undefined ? [...FLAGS, ...MEMORY] : [...FLAGS, ...COVER_MEMORY];
  const { error, stderr } = await asc.main([...args, '--runtime', 'stub', ...flags], {
    readFile: (source, base) => {
      const text = readSource(source, base);
      const isOwn =
        text !== null && source !== relative(folder, `${file}.entry.ts`) && !source.includes('node_modules/');
      return isOwn && covered !== undefined ? covered.instrumented(source, text) : text;
    },
  });
  delete libraryFiles[COVER];
  if (entry !== path) rmSync(entry);
  const said = String(stderr).trim();
  if (error === null && !said.includes('ERROR')) return;
  throw new InputError('CONTRACT_COMPILE', `${name} does not compile`, {
    facts: { file: path, compiler: `\n${said || error?.message}` },
    hint: 'The compiler names file, line and column.',
  });
}

/** Files as the compiler asks for them; those of the SDK are always those of this package. */
function readSource(name: string, folder: string): string | null {
  const [, , below = ''] = SDK_IMPORT.exec(name) ?? [];
  const file = SDK_IMPORT.test(name) ? sdkFile(below) : join(folder, name);
  return file !== undefined && existsSync(file) && statSync(file).isFile() ? readFileSync(file, 'utf8') : null;
}

/** `/index.ts` of `sdk/` says where the rest lies. */
function sdkFile(below: string): string {
  const [, inDist] = /^\/dist\/(.*)$/.exec(below) ?? [];
  return fileURLToPath(shipped(inDist ?? `sdk${below.replace(/^$/, '.ts')}`));
}

/** Why it cannot be built here; undefined if it was. */
function buildRust({ name, path }: ContractSource, file: string): string | undefined {
  const args = [
    'build',
    '--release',
    '--offline',
    '--target',
    RUST_TARGET,
    '--manifest-path',
    join(path, 'Cargo.toml'),
  ];
  const target = join(path, 'target');
  const { status, error, stderr } = spawnSync('cargo', [...args, '--target-dir', target], { encoding: 'utf8' });
  if (error !== undefined) return 'cargo is not there';
  if (/can't find crate for `core`|target may not be installed/.test(stderr)) {
    return `Rust has no target ${RUST_TARGET} (rustup target add ${RUST_TARGET})`;
  }
  const built = join(target, RUST_TARGET, 'release', `${name.replaceAll('-', '_')}.wasm`);
  if (status === 0 && existsSync(built)) {
    writeFileSync(file, readFileSync(built));
    return undefined;
  }
  throw new InputError('CONTRACT_COMPILE', `${name} does not compile`, {
    facts: { folder: path, compiler: `\n${stderr.trim()}` },
    hint: 'cargo names file, line and column.',
  });
}
