import { expect, test } from 'vitest';
import { ProgramError } from '../../src/errors/errors.js';
import { RollbackClock } from '../../src/service/rollback-clock.js';
import { Views } from '../../src/service/views.js';

const bytes = (height: number): Uint8Array => Uint8Array.of(height);

/** A lane whose view gives the height of the state it reads, and does something in the middle of each run. */
function laneWith(middle: (run: number) => Promise<void>) {
  let runs = 0;
  return {
    get runs() {
      return runs;
    },
    async view(_name: string, _input: Uint8Array, _height: number, stateHeight = -2): Promise<Uint8Array> {
      await middle(runs++);
      return bytes(stateHeight);
    },
    preview: () => Promise.reject(new RangeError('no view runs over blocks here')),
  };
}

const nothing = bytes(0);

test('a view runs over the state that it was asked for, or over the tip where that is lower', async () => {
  const lane = laneWith(async () => undefined);
  const views = new Views(lane, { tip: () => ({ height: 7, hash: nothing }) }, new RollbackClock());
  expect(await views.run('v', nothing, 3)).toEqual(bytes(3));
  expect(await views.run('v', nothing, 9)).toEqual(bytes(7));
  expect(lane.runs).toBe(2);
});

test('a view under which blocks were undone runs again over the state after that', async () => {
  const clock = new RollbackClock();
  let tip = 7;
  const lane = laneWith(async (run) => {
    if (run > 0) return;
    await clock.during(async () => {
      tip = 5;
    });
    // What is seen of a mixture may make the view fail: that is not the answer either.
    throw new ProgramError('VIEW_FAILED', 'a mixture');
  });
  const views = new Views(lane, { tip: () => ({ height: tip, hash: nothing }) }, clock);
  expect(await views.run('v', nothing, 7)).toEqual(bytes(5));
  expect(lane.runs).toBe(2);
});

test('no view begins while blocks are being undone, in whatever thread', async () => {
  const clock = new RollbackClock();
  const elsewhere = new RollbackClock(clock.buffer);
  const lane = laneWith(async () => undefined);
  let finish: () => void = () => undefined;
  const undoing = elsewhere.during(
    () =>
      new Promise<void>((resolve) => {
        finish = resolve;
      }),
  );
  const answer = new Views(lane, { tip: () => undefined }, clock).run('v', nothing, 7);
  await new Promise((resolve) => setTimeout(resolve, 20));
  expect(lane.runs).toBe(0);
  finish();
  await undoing;
  expect(await answer).toEqual(Uint8Array.of(-1));
});

test('a view under which blocks are undone again and again ends with a code', async () => {
  const clock = new RollbackClock();
  const lane = laneWith(() => clock.during(async () => undefined));
  const views = new Views(lane, { tip: () => undefined }, clock);
  await expect(views.run('v', nothing, 7)).rejects.toMatchObject({ code: 'STORE_REORG_UNDER_WAY' });
  expect(lane.runs).toBe(3);
});
