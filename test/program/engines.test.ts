/**
 * Every engine takes what the limits admit: the modules at each limit, instrumented, are compiled by V8 of this Node
 * and of every other one named in WARPSHREW_NODES (paths of `node` binaries, separated by the path delimiter).
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LIMITS } from '../../src/program/limits.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { AT_LIMIT, everything } from './limit-modules.js';

const limits = Object.keys(LIMITS) as (keyof typeof LIMITS)[];
const NODES = (process.env.WARPSHREW_NODES ?? '').split(delimiter).filter((path) => path !== '');

function instrumented(wasm: Uint8Array): Uint8Array {
  return prepareProgram(wasm).instrumented;
}

function atLimit(limit: keyof typeof LIMITS): Uint8Array {
  const module = AT_LIMIT[limit](LIMITS[limit]);
  return module instanceof Uint8Array ? module : module.bytes();
}

describe('modules at the limits, instrumented', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'warpshrew-engines-'));
    for (const limit of limits) writeFileSync(join(folder, `${limit}.wasm`), instrumented(atLimit(limit)));
    writeFileSync(join(folder, 'everything.wasm'), instrumented(everything()));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  /** Compiles every module of the folder and prints the names of those that the engine refuses. */
  const script = `
    const { readdirSync, readFileSync } = require('node:fs');
    const refused = [];
    for (const name of readdirSync('.')) {
      try { new WebAssembly.Module(readFileSync(name)); } catch (error) { refused.push(name + ': ' + error.message); }
    }
    console.log(JSON.stringify(refused));
  `;
  const refusedBy = (node: string): unknown =>
    JSON.parse(execFileSync(node, ['-e', script], { cwd: folder, encoding: 'utf8' }));

  it(`are compiled by this Node (${process.version})`, () => {
    expect(refusedBy(process.execPath)).toEqual([]);
  });

  for (const node of NODES) {
    it(`are compiled by ${node}`, () => {
      expect(refusedBy(node)).toEqual([]);
    });
  }
  it.skipIf(NODES.length > 0)('are compiled by other Nodes: skipped, WARPSHREW_NODES names none', ({ skip }) => skip());
});
