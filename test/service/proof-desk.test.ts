import { MessageChannel } from 'node:worker_threads';
import { expect, onTestFinished, test } from 'vitest';
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
    asking.prove('S', Uint8Array.of(1), undefined),
    asking.prove('P', Uint8Array.of(2), 1),
    asking.prove('P', Uint8Array.of(3), 2),
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
  const waiting = asking.prove('S', new Uint8Array(0), undefined);
  const late = asking.prove('S', new Uint8Array(0), undefined);
  const refused = Promise.allSettled([waiting, late]);
  await isAsked;
  const [, second] = await refused;
  expect(second).toMatchObject({ status: 'rejected', reason: { code: 'STORE_CLOSED' } });
  await expect(asking.prove('S', new Uint8Array(0), undefined)).rejects.toMatchObject({ code: 'STORE_CLOSED' });
});
