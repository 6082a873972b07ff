import type { MessageStatus } from '../../../lane/types.js';
import { formatId } from '../../../protocol/alkane-id.js';
import { encodeEnvelope, gzipStored } from '../../../protocol/encode.js';
import type { AlkaneId } from '../../../protocol/types.js';
import { makeCall } from '../../../selftest/inputs/actor-steps.js';
import { call } from '../messages.js';
import { type Actors, act, created } from './actors.js';
import type { World } from './world.js';

/** Frames below that of a message. */
const DEEPEST = 32;
/** Pages of a memory, and of all memories at once. */
const MOST_PAGES = 512;
const MOST_PAGES_OF_ALL = 2_048;
/** Bytes, for 50 fuel each: 5,000 a page, and what the frames take beside. */
const LARGE = 208_000;
/**
 * What the contract wasm/calls/limits.ts takes beyond what it was told to leave, its result included; and what the
 * actor that called it takes until its own end, its result included.
 */
const AFTER_BURNING = 410;
const AFTER_THE_CALL = 1_379;

/** Frames, pages and fuel of calls at their limits, and one beyond. */
export function limitsOfCallsStage(world: World, actors: Actors): void {
  const { director, programs } = world;
  const recursion = created(world, programs.calls.recursion);
  const frames = (depth: number, expect: MessageStatus) =>
    director.send({ kind: '33 frames', stones: [call(recursion, [1, depth])], expect: [expect] });
  frames(DEEPEST, 'OK');
  frames(DEEPEST + 1, 'REVERT');
  const limits = created(world, programs.calls.limits);
  director.send({ kind: 'a call with 0 bytes of cellpack', stones: [call(limits, [2])], expect: ['REVERT'] });
  fuelOfChildren(world, actors, limits);
  pages(world, limits);
}

/** A child that ends with nothing, or that lacks a unit; then a message that ends with nothing because of it. */
function fuelOfChildren({ director }: World, { actor }: Actors, limits: AlkaneId): void {
  const burning = (left: number, expect: MessageStatus) => {
    const child = makeCall('call', formatId(limits), [[3n, BigInt(left)]]);
    const stones = [act(actor, [child])];
    director.send({ kind: 'fuel that ends in the child at exactly 0', stones, expect: [expect] });
  };
  burning(AFTER_BURNING, 'OUT_OF_FUEL');
  burning(AFTER_BURNING - 1, 'OUT_OF_FUEL');
  burning(AFTER_BURNING + AFTER_THE_CALL, 'OK');
  burning(AFTER_BURNING + AFTER_THE_CALL - 1, 'OUT_OF_FUEL');
}

/** Three frames with all pages that a memory may have; the two below take what is left, exactly, and one more. */
function pages({ director }: World, limits: AlkaneId): void {
  const first = 1;
  const upper = 3 * MOST_PAGES;
  const fourth = MOST_PAGES_OF_ALL - upper - 10;
  const frame = (grow: number, again: number) => [1, grow, again];
  const target = [limits.block, limits.tx];
  const above = [frame(MOST_PAGES - first, 0), frame(MOST_PAGES - first, 0), frame(MOST_PAGES - first, 0)];
  const inputs = [...above, frame(fourth - first, 0)].flatMap((own) => [...own, ...target]);
  const coin = director.commit(encodeEnvelope(gzipStored(new Uint8Array(LARGE))));
  director.send({
    kind: 'pages at exactly 2,048',
    spend: [coin],
    stones: [call(limits, [...inputs, ...frame(10 - first, 1)])],
    expect: ['OK'],
  });
}
