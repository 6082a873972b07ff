import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, it, onTestFinished } from 'vitest';
import { InternalError } from '../../src/errors/errors.js';
import { ProgramRunner } from '../../src/program/runner.js';
import { inputsFor, methodsOf } from '../../src/testing/contracts/arguments.js';
import { type BuildReport, checkBuild } from '../../src/testing/contracts/check-build.js';
import { ROOT } from '../helpers/cli.js';
import { wat } from '../helpers/wat.js';

/** A contract that says what it understands: opcode 0 ends well, 1 traps, 2 takes an id and a text. */
const SPEAKING = (text: string): string => `(module
  (import "env" "__load_context" (func $load (param i32) (result i32)))
  (memory (export "memory") 1)
  (data (i32.const 16) "${'\\00'.repeat(24)}")
  (data (i32.const 1024) "${u32(text.length)}${text.replaceAll('"', '\\22')}")
  (func (export "__meta") (result i32) i32.const 1028)
  (func (export "__execute") (result i32)
    (drop (call $load (i32.const 4096)))
    (if (i64.eq (i64.load offset=4336 (i32.const 0)) (i64.const 1)) (then unreachable))
    (i32.store (i32.const 12) (i32.const 20))
    i32.const 16))`;
const u32 = (n: number): string => [n & 255, n >> 8, 0, 0].map((b) => `\\${b.toString(16).padStart(2, '0')}`).join('');

const META = JSON.stringify({
  contract: 'Speaking',
  methods: [
    { name: 'initialize', opcode: 0, params: [], returns: 'void' },
    { name: 'fail', opcode: 1, params: [], returns: 'void' },
    {
      name: 'name_it',
      opcode: '2',
      params: [
        { type: 'AlkaneId', name: 'a' },
        { type: 'Vec<String>', name: 'texts' },
      ],
      returns: 'void',
    },
  ],
});

it('calls every opcode of a build with inputs of the kinds that it names', async () => {
  const wasm = wat(SPEAKING(META));
  const report = checkBuild({ name: 'speaking', wasm, hash: 'speaking' }, new ProgramRunner());
  expect(report).toMatchObject({ refused: undefined, noMeta: undefined, pages: 1, makesCalls: false });
  expect(report.calls.map(({ opcode, status }) => [opcode, status])).toEqual([
    ['0', 'OK'],
    ['1', 'TRAP'],
    ['2', 'OK'],
  ]);
  const [, , method] = methodsOf(JSON.parse(META)) ?? [];
  const text = BigInt(`0x${Buffer.from('texts').reverse().toString('hex')}`);
  expect(inputsFor(method)).toEqual([2n, 2n, 1n, 2n, text, text]);
});

it('tells an error of the project’s own from one of the contract', async () => {
  const wasm = wat(SPEAKING(META));
  const broken = {
    run: () => {
      throw new InternalError('the engine refuses it');
    },
  };
  const { calls, noMeta } = checkBuild({ name: 'speaking', wasm, hash: 'speaking' }, broken);
  expect(noMeta).toMatch(/^INTERNAL: /);
  expect(new Set(calls.map(({ status }) => status))).toEqual(new Set(['INTERNAL']));
});

it('checks a folder: a line per build, why one is refused, and all of it as JSON', { timeout: 120_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'warpshrew-contracts-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const actor = readFileSync(join(ROOT, 'dist', 'wasm', 'calls', 'actor.wasm'));
  writeFileSync(join(folder, 'actor.wasm'), actor);
  writeFileSync(join(folder, 'same-actor.wasm.gz'), gzipSync(actor));
  writeFileSync(
    join(folder, 'floats.wasm'),
    wat(
      '(module (memory (export "memory") 1) (func (export "__execute") (result i32) (drop (f32.const 1)) i32.const 0))',
    ),
  );
  writeFileSync(join(folder, 'not-wasm.wasm'), 'nothing');
  const json = join(folder, 'report.json');
  const script = join(ROOT, 'scripts', 'check-contracts.mjs');
  const run = spawnSync(process.execPath, [script, folder, '--json', json], { encoding: 'utf8' });
  expect(run.stderr).toBe('');
  expect(run.status).toBe(0);
  expect(run.stdout).toContain('3 modules, 2 of them contracts; admitted: 1');
  expect(run.stdout).toMatch(/^floats +\d+ +no: WASM_FLOAT/m);
  expect(run.stdout).toContain('SKIPPED: no auth token build');
  const reports = JSON.parse(readFileSync(json, 'utf8')) as BuildReport[];
  expect(reports.map(({ name, calls }) => [name, calls.length])).toEqual([
    ['actor', 10],
    ['floats', 0],
  ]);
});
