import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { TOGETHER } from '../../scripts/together.mjs';
import { ROOT } from '../helpers/cli.js';
import { circlesOf, type Graph, grouped } from './graph.js';
import { exportsOf, importsOf, sourceFiles } from './sources.js';

const MOST_COLUMNS = 120;
const MOST_LINES = 400;

/**
 * The floors of `src/`, lowest first: a file takes what it needs from its own floor or from one below. A folder that is
 * not named stands on the floor of its parent.
 */
const FLOORS: readonly (readonly string[])[] = [
  ['errors/codes', 'client'],
  ['errors'],
  ['util'],
  ['bitcoin'],
  ['protocol', 'codegen'],
  ['program'],
  ['lane'],
  ['plan', 'gpu/intrinsics', 'views'],
  ['gpu/translate'],
  ['gpu/device'],
  ['gpu/pack'],
  ['gpu'],
  ['store/tree'],
  ['store'],
  ['store/check', 'execute/tasks', 'standard', 'listing'],
  ['store/snapshot', 'execute/threads', 'simulate', 'trace'],
  ['execute/analyse', 'execute/choose', 'execute/predict'],
  ['execute/run', 'execute/health'],
  ['tasks'],
  ['execute/rows'],
  ['execute'],
  ['pipeline', 'chain', 'export', 'contract-chain'],
  ['follow', 'replay', 'rpc', 'diff', 'selftest', 'sink', 'stream', 'verify', 'wallet'],
  ['harness'],
  ['service'],
  ['doctor', 'dev'],
  ['cli', 'index.ts'],
  ['cli.ts'],
  ['testing'],
];

const sources = sourceFiles(['src']);
const explorer = sourceFiles(['explorer']).filter(({ path }) => !path.endsWith('.css'));
const everything = sourceFiles();
const graph: Graph = new Map(
  sources.map((file) => [file.path, new Set(importsOf(file).map((taken) => taken.file))] as const),
);

function floorOf(path: string): number {
  const names = [path.slice('src/'.length)];
  while (names[names.length - 1].includes('/')) names.push(dirname(names[names.length - 1]));
  for (const name of names) {
    const floor = FLOORS.findIndex((folders) => folders.includes(name));
    if (floor >= 0) return floor;
  }
  throw new Error(`${path} stands on no floor: add its folder to FLOORS`);
}

describe('the sources are tidy', () => {
  it('no file imports itself through others', () => {
    expect(circlesOf(graph)).toEqual([]);
  });

  it('no file of the explorer imports itself through others, or anything of src but the client', () => {
    const imports = explorer.map((file) => [file.path, new Set(importsOf(file).map((taken) => taken.file))] as const);
    expect(circlesOf(new Map(imports))).toEqual([]);
    const taken = imports.flatMap(([, files]) => [...files]).filter((path) => !path.startsWith('explorer/'));
    expect(taken.filter((path) => !path.startsWith('src/client/'))).toEqual([]);
  });

  it('no folder imports itself through others', () => {
    // Files that lie in src/ itself are no folder.
    const folderOf = (path: string): string => (dirname(path) === 'src' ? path : dirname(path));
    expect(circlesOf(grouped(graph, folderOf))).toEqual([]);
  });

  it('imports go down the floors', () => {
    const upwards = [...graph].flatMap(([path, targets]) =>
      [...targets].filter((target) => floorOf(target) > floorOf(path)).map((target) => `${path} -> ${target}`),
    );
    expect(upwards).toEqual([]);
  });

  it('every export is used outside its file', () => {
    const used = new Map<string, Set<string> | 'all'>();
    for (const { file, names } of everything.flatMap(importsOf)) {
      const known = used.get(file) ?? new Set<string>();
      if (names === undefined || known === 'all') used.set(file, 'all');
      else used.set(file, new Set([...known, ...names]));
    }
    const unused = [...sources, ...explorer].flatMap((file) => {
      const names = used.get(file.path);
      if (names === 'all' || file.path === 'src/index.ts' || file.path === 'src/client/index.ts') return [];
      return exportsOf(file)
        .filter(({ name, isMentionedType }) => !isMentionedType && names?.has(name) !== true)
        .map(({ name }) => `${file.path}: ${name}`);
    });
    expect(unused).toEqual([]);
  });

  it(`no line is longer than ${MOST_COLUMNS} columns`, () => {
    const long = everything.flatMap(({ path, text }) =>
      text.split('\n').flatMap((line, i) => ([...line].length > MOST_COLUMNS ? [`${path}:${i + 1}`] : [])),
    );
    expect(long).toEqual([]);
  });

  it(`no file is longer than ${MOST_LINES} lines`, () => {
    const long = everything.filter(({ text }) => text.split('\n').length - 1 > MOST_LINES).map(({ path }) => path);
    expect(long).toEqual([]);
  });
});

describe('what tells circles apart', () => {
  it('finds each group of nodes that reach each other, and nothing else', () => {
    const of = (edges: Record<string, string[]>): Graph =>
      new Map(Object.entries(edges).map(([node, targets]) => [node, new Set(targets)]));
    expect(circlesOf(of({ a: ['b'], b: ['c'], c: [] }))).toEqual([]);
    expect(circlesOf(of({ a: ['b'], b: ['c'], c: ['b'] }))).toEqual([['b', 'c']]);
    expect(circlesOf(of({ a: ['b'], b: ['a', 'c'], c: ['d'], d: ['c', 'e'], e: [] }))).toEqual([
      ['c', 'd'],
      ['a', 'b'],
    ]);
    expect(circlesOf(grouped(of({ 'x/1': ['y/1'], 'y/2': ['x/2'] }), (path) => path[0]))).toEqual([['x', 'y']]);
  });
});

describe('the tests are tidy', () => {
  it('what test files share registers nothing as it loads, where it is loaded once for many files', () => {
    const shared = [...TOGETHER, 'test/helpers/'].flatMap((folder) =>
      readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' })
        .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
        .map((name) => join(folder, name)),
    );
    expect(shared.length).toBeGreaterThan(10);
    const registers = /^(beforeEach|afterEach|beforeAll|afterAll)\(/m;
    expect(shared.filter((path) => registers.test(readFileSync(join(ROOT, path), 'utf8')))).toEqual([]);
  });
});
