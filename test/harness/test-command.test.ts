import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { cli } from '../helpers/cli.js';
import { makeProject } from './project.js';

const TESTS = `
import assert from 'node:assert/strict';
import { test, property, fuzz, type TestChain } from 'warpshrew/test';
import fc from 'fast-check';

const deploy = (chain: TestChain) => chain.deploy('mint', [0, 3, 5]);
const supply = (chain: TestChain) => chain.number(chain.call('2:1', [101]));

test('mints up to the cap', (chain) => {
  const token = deploy(chain);
  for (let i = 0; i < 3; i++) chain.ok(chain.call(token, [77]));
  chain.reverts(chain.call(token, [77]), 'abort');
  assert.equal(chain.balance(token, chain.account('alice')), 15n);
  assert.equal(chain.text(chain.call(token, [99])), 'mint');
});
test('a reorg takes it back', (chain) => {
  const token = deploy(chain);
  chain.call(token, [77]);
  chain.reorg(1);
  assert.equal(supply(chain), 0n);
});
property('the supply', fc.integer({ min: 0, max: 5 }), (chain, calls) => {
  const token = deploy(chain);
  for (let i = 0; i < calls; i++) chain.call(token, [77]);
  assert.equal(supply(chain), BigInt(Math.min(calls, 3) * 5));
}, { runs: 5 });
fuzz('the cap', {
  setup: (chain) => chain.deploy('mint', [0, 100, 5]),
  call: (random, token) => ({ target: token, inputs: [random.pick([77, 101, 99])] }),
  invariant: (chain, token) => assert.ok(chain.balance(token, chain.account('alice')) <= 500n),
  each: (end) => assert.ok(end.transferred('2:1') <= 5n),
});
`;

const FAILING = `
import assert from 'node:assert/strict';
import { test, property, fuzz } from 'warpshrew/test';
import fc from 'fast-check';
test('that reverts', (chain) => {
  const token = chain.deploy('mint', [0, 3, 5]);
  chain.ok(chain.call(token, [1234]));
});
test('of no contract', (chain) => {
  chain.deploy('mnit');
});
property('that is small', fc.integer({ min: 0, max: 1000 }), (_, value) => assert.ok(value < 10), { runs: 50 });
fuzz('that breaks', {
  setup: (chain) => chain.deploy('mint', [0, 100, 5]),
  call: (random, token) => ({ target: token, inputs: [77] }),
  invariant: (chain, token) => assert.ok(chain.balance(token, chain.account('alice')) < 500n, 'all is minted'),
});
`;

it('runs tests, properties and random calls of a project, and compares their fuel with what was kept', async () => {
  const folder = makeProject({ 'tests/mint.test.ts': TESTS }, ['mint']);
  const first = await cli('test', folder, '--no-kernel', '--fuel', 'write', '--fuzz', '1600', '--jobs', '2');
  expect(first.stderr).toBe('');
  expect(first.stdout).toContain('tests/mint.test.ts\n');
  expect(first.stdout).toMatch(
    /ok {4}the cap \(.* 1000 calls, \d+ a second of processor time, 600 by themselves, \d+ a second; on V8\)/,
  );
  expect(first.stdout).toMatch(/\n4 passed, 0 failed; one by one, in batches; [\d.]+ s\n$/);
  expect(first.status).toBe(0);

  const file = join(folder, 'fuel.txt');
  const kept = readFileSync(file, 'utf8');
  expect(kept).toMatch(/^\d+ {2}tests\/mint.test.ts: a reorg takes it back\n\d+ {2}tests\/mint.test.ts: mints up to/);
  writeFileSync(file, kept.replace(/^\d+/, '100000'));
  const dearer = await cli('test', folder, '--no-kernel', '--fuel', 'check', '--fuzz', '10', '--jobs', '1');
  expect(dearer.stdout).toMatch(/▲ 100000 -> \d+ \([\d.]+ %\) {2}tests\/mint.test.ts: a reorg takes it back/);
  expect(dearer.stdout).toContain('fuel: 1 tests are not as fuel.txt says');
  expect(dearer.status).not.toBe(0);
});

it('names the place and the reason of what fails', async () => {
  const folder = makeProject({ 'tests/bad.test.ts': FAILING, 'tests/none.test.ts': 'import "./gone.js";' }, ['mint']);
  const broken = await cli('test', folder, '--no-kernel');
  expect(broken.stderr).toMatch(/CONTRACT_COMPILE: the tests do not compile: .*\n?.*gone\.js/);
  writeFileSync(join(folder, 'tests/none.test.ts'), 'throw new Error("at once");');
  const { stdout, status } = await cli('test', folder, '--no-kernel', '--fuzz', '600', '--jobs', '1');
  expect(status).not.toBe(0);
  expect(stdout).toMatch(/FAIL {2}that reverts .*\n +the message to 2:1 ended REVERT, not OK\n +reason {2}abort\n/);
  expect(stdout).toMatch(/bad\.test\.ts:7:/);
  expect(stdout).toMatch(/USAGE_TEST_CONTRACT: the project has no contract of the name mnit\n.*\n +contracts: mint/);
  expect(stdout).toMatch(/Counterexample: \[10\]/);
  expect(stdout).toMatch(/TEST_INVARIANT: the invariant does not hold: all is minted\n +seed: 1 that breaks/);
  expect(stdout).toMatch(/none\.test\.ts cannot be loaded\nError: at once/);
  expect(stdout).toContain('0 passed, 4 failed');
});

it('says what is missing where there is no project', async () => {
  const folder = makeProject({});
  expect((await cli('test', folder)).stderr).toMatch(/USAGE_TEST_PROJECT: .*it has no contracts/);
  writeFileSync(join(folder, 'warpshrew.json'), '{ "contracts": 1 }');
  expect((await cli('test', folder)).stderr).toMatch(/USAGE_TEST_PROJECT: .*"contracts" is no object of paths/);
  expect((await cli('test', join(folder, 'nowhere'))).stderr).toMatch(/USAGE_TEST_PROJECT: .*is missing/);
});
