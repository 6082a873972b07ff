import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inspectModule } from '../../src/harness/inspect.js';
import { builtPrograms, callsProgram } from '../../src/util/built-wasm.js';
import { cli, ROOT, temporaryFolder } from '../helpers/cli.js';
import { wat } from '../helpers/wat.js';

const CONTRACT = '(memory (export "memory") 1) (func (export "__execute") (result i32) i32.const 0)';

describe('a module before it is deployed', () => {
  it('that is a contract: what it imports, what it costs, whether the kernel takes it', () => {
    const found = inspectModule(builtPrograms().mint);
    expect(found).toMatchObject({ refused: undefined, pages: 1, kernel: { takes: true, window: 2048 } });
    expect(found.imports).toContain('env.__request_storage: function');
    expect(found.exports).toContain('__execute: function');
    expect(found.meta).toMatchObject({ refused: { code: 'META_MISSING' } });
    expect(found.entryFuel).toBeGreaterThan(5_000);
    expect(found.compileMs).toBeGreaterThan(0);
    expect(inspectModule(callsProgram('factory')).kernel).toEqual({
      takes: false,
      reason: 'it calls other contracts, or built-ins',
    });
  });

  it.each([
    ['no __execute', '(memory (export "memory") 1)', 'WASM_EXPORT'],
    ['no memory', '(func (export "__execute") (result i32) i32.const 0)', 'WASM_EXPORT'],
    ['a float', `${CONTRACT} (func (drop (f64.const 1)))`, 'WASM_FLOAT'],
    ['an import that there is not', `(import "env" "no" (func)) ${CONTRACT}`, 'WASM_IMPORT'],
    ['an import of another shape', `(import "env" "abort" (func)) ${CONTRACT}`, 'WASM_IMPORT'],
    ['too many pages', CONTRACT.replace('1)', '513)'), 'WASM_LIMIT'],
  ])('with %s says so, where, and what to do', (_, text, code) => {
    const { refused } = inspectModule(wat(`(module ${text})`));
    expect(refused).toMatchObject({ code });
    expect(refused?.message).not.toBe('');
  });

  it('on the command line, with the exit status of a check', async () => {
    const file = join(temporaryFolder(), 'float.wasm');
    writeFileSync(file, wat(`(module ${CONTRACT} (func (drop (f64.const 1))))`));
    const refused = await cli('inspect', file);
    expect(refused.stdout).toMatch(/would not be created\n {2}WASM_FLOAT: /);
    expect(refused.status).not.toBe(0);
    const taken = await cli('inspect', join(ROOT, 'dist/wasm/programs/claim.wasm'));
    expect(taken).toMatchObject({ status: 0, stderr: '' });
    expect(taken.stdout).toMatch(
      /would be created: 1 pages of memory.*\n.*\n.*\n.*\n(.*\n)*the kernel takes it, with \d+/,
    );
    const json = JSON.parse((await cli('inspect', file, '--json')).stdout);
    expect(json.hash).toMatch(/^[0-9a-f]{64}$/);
    expect(readFileSync(file).length).toBe(json.bytes);
  });
});
