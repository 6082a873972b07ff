import { expect, it } from 'vitest';
import { prepareProgram } from '../../src/program/prepare.js';
import { concatBytes } from '../../src/util/bytes.js';
import { i32, OP, op, WasmBuilder } from '../helpers/wasm-builder.js';
import { onDevice, withDevice } from './on-device.js';

const wasm = new WasmBuilder().execute([i32(100), i32(5), op(OP.i32Store, 0, 0), i32(100)]).bytes();
/** A custom section, which no kernel sees: id, size, length of its name, the name, content. */
const custom = (content: number): Uint8Array => Uint8Array.of(0, 3, 1, 0x78, content);

it('programs that differ only in a custom section share one compilation, others have their own', async () => {
  let compiled = 0;
  const { executor } = await onDevice({}, (o) =>
    withDevice(o, {
      createComputePipelineAsync: (descriptor) => {
        compiled++;
        return o.device.createComputePipelineAsync(descriptor);
      },
    }),
  );
  const alike = [wasm, concatBytes(wasm, custom(1)), concatBytes(wasm, custom(2))].map((code) => prepareProgram(code));
  expect(new Set(alike.map(({ hash }) => hash)).size).toBe(3);
  await Promise.all(alike.map((program) => executor.prepare(program)));
  expect(alike.map((program) => executor.kernelState(program, 0))).toEqual(['ready', 'ready', 'ready']);
  expect(compiled).toBe(1);
  const other = new WasmBuilder().execute([i32(104), i32(5), op(OP.i32Store, 0, 0), i32(104)]).bytes();
  await executor.prepare(prepareProgram(other));
  expect(compiled).toBe(2);
});

it('a compilation that fails is not kept for the next program with the same text', async () => {
  let isBroken = true;
  const { executor } = await onDevice({}, (o) =>
    withDevice(o, {
      createComputePipelineAsync: (descriptor) => {
        if (isBroken) return Promise.reject(new Error('no memory just now'));
        return o.device.createComputePipelineAsync(descriptor);
      },
    }),
  );
  const [first, second] = [3, 4].map((content) => prepareProgram(concatBytes(wasm, custom(content))));
  await executor.prepare(first);
  expect(executor.kernelState(first, 0)).toBe('none');
  isBroken = false;
  await executor.prepare(second);
  expect(executor.kernelState(second, 0)).toBe('ready');
});
