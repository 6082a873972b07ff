import { MessageChannel } from 'node:worker_threads';
import { expect, onTestFinished, test, vi } from 'vitest';
import { StoreError } from '../../src/errors/errors.js';
import { ProofDesk, serveProofs } from '../../src/service/proof-desk.js';
import { encodeProof } from '../../src/store/proof/format.js';
import { toHex } from '../../src/util/bytes.js';
import { generator } from '../store/helpers.js';
import { randomProof, randomState } from '../store/proofs.js';

const random = generator(5);
const proof = randomProof(randomState(random, 20), random);

function desk(prove: Parameters<typeof serveProofs>[1]): { desk: ProofDesk; close: () => void } {
  const { port1, port2 } = new MessageChannel();
  serveProofs(port2, prove);
  const asking = new ProofDesk(port1);
  onTestFinished(() => asking.close());
  return { desk: asking, close: () => port2.close() };
}

test('each question gets the proof, or the error, that the other thread made for it', async () => {
  const asked: unknown[][] = [];
  const { desk: asking } = desk((namespace, key, height) => {
    asked.push([namespace, toHex(key), height]);
    if (height === 1)
      throw new StoreError('STORE_NOT_PROVABLE', 'too old', { facts: { height, tip: 9 }, hint: 'Ask.' });
    return proof;
  });
  const [first, second, third] = [
    asking.prove('a', 'S', Uint8Array.of(1), undefined),
    asking.prove('a', 'P', Uint8Array.of(2), 1),
    asking.prove('a', 'P', Uint8Array.of(3), 2),
  ];
  expect(toHex(encodeProof(await first))).toBe(toHex(encodeProof(proof)));
  await expect(second).rejects.toMatchObject({
    code: 'STORE_NOT_PROVABLE',
    facts: { height: 1, tip: 9 },
    hint: 'Ask.',
  });
  expect((await third).height).toBe(proof.height);
  expect(asked).toEqual([
    ['S', '01', undefined],
    ['P', '02', 1],
    ['P', '03', 2],
  ]);
});

test('when the thread of the store ends, what waits and what comes after is told so', async () => {
  let ask: () => void = () => undefined;
  const isAsked = new Promise<void>((resolve) => {
    ask = resolve;
  });
  const { desk: asking, close } = desk(() => {
    ask();
    close();
    return proof;
  });
  const waiting = asking.prove('a', 'S', new Uint8Array(0), undefined);
  const late = asking.prove('a', 'S', new Uint8Array(0), undefined);
  const refused = Promise.allSettled([waiting, late]);
  await isAsked;
  const [, second] = await refused;
  expect(second).toMatchObject({ status: 'rejected', reason: { code: 'STORE_CLOSED' } });
  await expect(asking.prove('a', 'S', new Uint8Array(0), undefined)).rejects.toMatchObject({ code: 'STORE_CLOSED' });
});

test('clients take turns, one question at a time, and the thread of the store rests after a long one', async () => {
  const order: number[] = [];
  let under = 0;
  const { desk: asking } = desk((_, [which]) => {
    order.push(which);
    under++;
    if (which === 0) for (const from = performance.now(); performance.now() - from < 20; );
    return proof;
  });
  const timeout = vi.spyOn(globalThis, 'setTimeout');
  onTestFinished(() => timeout.mockRestore());
  const first = asking.prove('greedy', 'S', Uint8Array.of(0), undefined);
  const rest = [1, 2, 3].map((which) => asking.prove('greedy', 'S', Uint8Array.of(which), undefined));
  const other = asking.prove('other', 'S', Uint8Array.of(9), undefined);
  await first;
  expect(under).toBe(1);
  await Promise.all([...rest, other]);
  // Four times the 20 ms or more that it took.
  expect(timeout.mock.calls[0][1]).toBeGreaterThanOrEqual(80);
  expect(order).toEqual([0, 1, 9, 2, 3]);
});
