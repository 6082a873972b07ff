import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { coverageOf, coverageText, lcovText } from '../../src/harness/coverage.js';
import { cli } from '../helpers/cli.js';
import { makeProject } from './project.js';

// Each line says with a mark whether the tests below run it: + all of it, ~ a part, - nothing; 2: in two calls.
const TOKEN = `
import { contextBegin, finishEmpty, input, opcode, responseBegin, revert } from 'warpshrew/sdk';
import { half } from './library';

function never(): void {
  revert(); // -
}

function ladder(x: u32): u32 {
  if (x == 1) return 5; // ~
  else if (x == 2) { // +
    return 6; // +
  }
  while (x > 100) x--; // ~
  for (let i: u32 = 0; i < x; i++) { // +
    if (i == 1000000) { // -
      never(); // -
    }
  }
  switch (x) { // +
    case 0: return 8; // +
    case 7: // a comment only
      x++; // -
      break; // -
    default: break; // -
  }
  return half(x); // -
}

class Box {
  value: u32 = 0;
  constructor(value: u32) {
    this.value = value; // +
  }
  get twice(): u32 {
    return this.value * 2; // -
  }
}

export function __execute(): usize {
  contextBegin(); // 2
  new Box(3); // 2
  if (opcode() == 99) revert(); // ~
  ladder(<u32>load<u64>(input(1))); // 2
  responseBegin(); // 2
  return finishEmpty(); // 2
}
`;
const LIBRARY = `export function half(x: u32): u32 {
  return x / 2;
}
`;
const TESTS = `
import { test } from 'warpshrew/test';
test('two calls', (chain) => {
  const token = chain.deploy('token', [0, 2]);
  chain.ok(chain.call(token, [5, 0]));
});
`;

it('counts the lines that tests run, and names those that they do not', async () => {
  const files = { 'contracts/token.ts': TOKEN, 'contracts/library.ts': LIBRARY, 'tests/a.test.ts': TESTS };
  const folder = makeProject(files);
  const { stdout, stderr, status } = await cli('test', folder, '--coverage', '--jobs', '1');
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  const marks = TOKEN.split('\n').flatMap((line, at) => {
    const [, mark] = /\/\/ ([+~2-])$/.exec(line) ?? [];
    return mark === undefined ? [] : [{ line: at + 1, mark }];
  });
  const lcov = readFileSync(join(folder, 'build/lcov.info'), 'utf8');
  const [own = ''] = lcov.split('end_of_record').filter((part) => part.includes('token.ts'));
  expect(own).toContain(`SF:${folder}/contracts/token.ts`);
  const counts = new Map([...own.matchAll(/DA:(\d+),(\d+)/g)].map(([, line, hits]) => [Number(line), Number(hits)]));
  expect([...counts.keys()]).toEqual(marks.map(({ line }) => line));
  for (const { line, mark } of marks) {
    const hits = counts.get(line) ?? -1;
    const wanted = mark === '-' ? 0 : mark === '2' ? 2 : 1;
    expect({ line, hits: mark === '~' || mark === '+' ? Math.min(hits, 1) : hits }).toEqual({ line, hits: wanted });
  }
  expect(own).toMatch(/FNDA:0,never\n/);
  expect(own).toMatch(/FNDA:2,ladder\n/);
  expect(own).toMatch(/FNDA:0,twice\n/);
  const [row = ''] = stdout.split('\n').filter((line) => line.startsWith('contracts/token.ts'));
  const missed = marks.filter(({ mark }) => mark === '-' || mark === '~').map(({ line }) => line);
  const named = [...row.matchAll(/(~?)(\d+)(?:-(\d+))?(?=,|$)/g)].flatMap(([, , first, last]) =>
    missed.filter((line) => line >= Number(first) && line <= Number(last ?? first)),
  );
  expect(named).toEqual(missed);
  expect(stdout).toMatch(/contracts\/library\.ts +0 % +0 % +2\n/);
});

it('a table and lcov say the same of lines, parts of lines and functions', () => {
  const sites = [
    { file: 'b.ts', line: 1, name: 'f' },
    { file: 'b.ts', line: 2, name: undefined },
    { file: 'b.ts', line: 2, name: undefined },
    { file: 'b.ts', line: 4, name: undefined },
    { file: 'b.ts', line: 9, name: undefined },
    { file: 'b.ts', line: 12, name: undefined },
    { file: 'a.ts', line: 1, name: undefined },
  ];
  const files = coverageOf(
    sites,
    new Map([
      [0, 3],
      [1, 3],
      [5, 1],
    ]),
  );
  expect(coverageText(files)).toBe(
    [
      'file  lines  functions  lines that did not run',
      'a.ts  0 %    -          1',
      'b.ts  50 %   100 %      ~2, 4-9',
    ].join('\n'),
  );
  expect(lcovText(files, '/p')).toContain(
    'SF:/p/b.ts\nFN:1,f\nFNDA:3,f\nFNF:1\nFNH:1\nDA:2,3\nDA:4,0\nDA:9,0\nDA:12,1\nLF:4\nLH:2\nend_of_record\n',
  );
});
