import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { translateProgram } from '../../src/gpu/translate/module.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { ProgramRunner } from '../../src/program/runner.js';
import { Metas } from '../../src/simulate/meta.js';
import { concatBytes } from '../../src/util/bytes.js';
import { ROOT } from '../helpers/cli.js';
import { Contract } from '../wasm/contract.js';

/** A folder in which the package is installed, as `npm install` of a folder does it: by a link. */
const folder = mkdtempSync(join(tmpdir(), 'warpshrew-examples-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function install(where: string): void {
  mkdirSync(join(where, 'node_modules'), { recursive: true });
  symlinkSync(ROOT, join(where, 'node_modules', 'warpshrew'));
  symlinkSync(join(ROOT, 'node_modules', 'assemblyscript'), join(where, 'node_modules', 'assemblyscript'));
}

function node(cwd: string, ...args: string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { cwd, encoding: 'utf8' });
  expect(status, `${args.join(' ')}\n${stdout}${stderr}`).toBe(0);
  return stdout;
}

const CLI = join(ROOT, 'dist', 'cli.js');
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');
/** Fenced blocks of a page: language and text. */
const blocks = (page: string): { language: string; text: string }[] =>
  [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, text]) => ({ language, text }));
const ofLanguage = (page: string, wanted: string): string[] =>
  blocks(page)
    .filter(({ language }) => language === wanted)
    .map(({ text }) => text);

/** A command of a page or a package.json, by the words behind the program's name. */
function afterName(command: string, name: string): string[] {
  const words = command.trim().split(/ +/);
  return words.slice(words.indexOf(name) + 1);
}

const library = read('docs/library.md');

beforeAll(() => {
  install(folder);
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  const command = ofLanguage(library, 'sh').find((text) => text.includes('replay')) ?? '';
  node(folder, CLI, ...afterName(command, 'warpshrew'));
});

const programs = blocks(library).flatMap(({ language, text }, i, all) =>
  language === 'js'
    ? [{ name: /import \{? ?(.*?) ?\}? from 'warpshrew'/.exec(text)?.[1] ?? '', text, output: all[i + 1] }]
    : [],
);

test.each(programs)('docs/library.md: the block with $name prints what stands below it', ({ text, output }) => {
  writeFileSync(join(folder, 'block.js'), text);
  expect(output.language).toBe('text');
  expect(node(folder, 'block.js')).toBe(output.text);
});

test('docs/library.md shows every kind of name that the package promises', () => {
  expect(programs.length).toBeGreaterThanOrEqual(6);
  const exported = [...read('src/index.ts').matchAll(/export (\{.*?\}) from/gs)]
    .flatMap(([, names]) => names.slice(1, -1).split(','))
    .map((name) => name.trim())
    .filter((name) => /^[a-z]\w*$/.test(name));
  for (const name of exported) expect(library, name).toContain(name);
});

test.each(['decode-transaction', 'read-index'])('examples/%s prints what its README says', (name) => {
  const where = join(folder, name);
  cpSync(join(ROOT, 'examples', name), where, { recursive: true, filter: (path) => !path.includes('node_modules') });
  install(where);
  const { scripts } = JSON.parse(readFileSync(join(where, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>;
  };
  if (scripts.index !== undefined) node(where, CLI, ...afterName(scripts.index, 'warpshrew'));
  const [shown] = ofLanguage(readFileSync(join(where, 'README.md'), 'utf8'), 'text');
  expect(node(where, ...afterName(scripts.start, 'node'))).toBe(shown);
});

const sdk = read('docs/sdk.md');

test('the contract of docs/sdk.md compiles against warpshrew/sdk by its command, runs, and has a kernel', () => {
  const [source] = ofLanguage(sdk, 'ts');
  writeFileSync(join(folder, 'counter.ts'), source);
  const command = ofLanguage(sdk, 'sh').find((text) => text.includes('warpshrew compile')) ?? '';
  node(folder, CLI, ...afterName(command, 'warpshrew'));
  const wasm = new Uint8Array(readFileSync(join(folder, 'counter.wasm')));
  expect(translateProgram(prepareProgram(wasm), { bytes: 2048, place: 'private' })).toMatchObject({ ok: true });
  const contract = new Contract(wasm);
  expect(contract.call([1, 40]).status).toBe('OK');
  expect(contract.call([1, 2]).status).toBe('OK');
  expect(contract.call([2]).data[0]).toBe(42);
  expect(contract.call([1, 2n ** 128n - 1n]).status).toBe('REVERT');
  expect(contract.call([3]).status).toBe('REVERT');
});

test('the `__meta` of docs/contracts.md compiles into that contract, and says what it says', () => {
  const [meta] = ofLanguage(read('docs/contracts.md'), 'ts');
  writeFileSync(join(folder, 'counter.ts'), `${ofLanguage(sdk, 'ts')[0]}\n${meta}`);
  const command = ofLanguage(sdk, 'sh').find((text) => text.includes('warpshrew compile')) ?? '';
  node(folder, CLI, ...afterName(command, 'warpshrew'));
  const code = concatBytes(Uint8Array.of(0), readFileSync(join(folder, 'counter.wasm')));
  const said = new Metas(new ProgramRunner()).of({ block: 2n, tx: 1n }, { get: () => code });
  expect(said).toEqual(JSON.parse(/'(.*)'/.exec(meta)?.[1] ?? ''));
});

test('docs/sdk.md lists every name of the SDK, and no other', () => {
  const exported = [...read('wasm/package-sdk/index.ts').matchAll(/^export \{(.*?)\}/gm)]
    .flatMap(([, names]) => names.split(','))
    .map((name) => name.trim());
  const table = sdk.slice(sdk.indexOf('## Names'));
  const listed = [...table.matchAll(/^\| (`.*?) \|/gm)].flatMap(([, cell]) =>
    [...cell.matchAll(/`(\w+)`/g)].map(([, name]) => name),
  );
  expect(listed.sort()).toEqual(exported.sort());
});
