import { expect, onTestFinished, test, vi } from 'vitest';
import { type GuestLine, GuestLog, LINE_BYTES } from '../../src/standard/guest-log.js';
import { StandardIndexer } from '../../src/standard/standard-indexer.js';
import { Store } from '../../src/store/store.js';
import { OPTIONS, temporaryFolder } from '../store/helpers.js';
import { ascii, GuestBuilder, number } from './guest-builder.js';

test('so many lines a second go through; the others are counted with the next, or by themselves', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  let now = 0;
  const sent: GuestLine[] = [];
  const log = new GuestLog(
    2,
    (line) => sent.push(line),
    () => now,
  );
  log.begin(7, undefined);
  for (const text of ['a', 'b', 'c', 'd']) log.write(text);
  const line = { height: 7, view: undefined, leftOut: 0 };
  expect(sent.splice(0)).toEqual([
    { ...line, text: 'a' },
    { ...line, text: 'b' },
  ]);
  now = 1_000;
  log.begin(8, 'v');
  log.write('e');
  expect(sent.splice(0)).toEqual([{ height: 8, view: 'v', leftOut: 2, text: 'e' }]);
  log.write('f');
  for (let i = 0; i < 1_000_000; i++) log.write('g');
  expect(sent.splice(0)).toHaveLength(1);
  vi.advanceTimersByTime(1_000);
  expect(sent.splice(0)).toEqual([{ height: 8, view: 'v', leftOut: 1_000_000, text: undefined }]);
  vi.advanceTimersByTime(5_000);
  expect(sent).toEqual([]);
});

test('what a module logs in blocks and views is heard, cut to its bound, while it runs', async () => {
  const store = await Store.open(temporaryFolder(), OPTIONS);
  const guest = new GuestBuilder();
  const long = `${'x'.repeat(LINE_BYTES - 1)}ö and more`;
  guest
    .start(guest.host('__log', guest.buffer(Buffer.from('of a block: größe'))), guest.flush('k', 'v'))
    .view('tell', guest.host('__log', guest.buffer(Buffer.from(long))), number(guest.buffer(ascii('ok'))));
  const lines: GuestLine[] = [];
  const lane = new StandardIndexer({
    moduleBytes: guest.bytes(),
    storeHandle: store.handle,
    onLog: (line) => lines.push(line),
  });
  onTestFinished(async () => {
    await lane.close();
    await store.close();
  });
  await lane.runBlock(new Uint8Array(0), 3);
  await lane.view('tell', new Uint8Array(0), 4);
  expect(lines).toEqual([
    { text: 'of a block: größe', height: 3, view: undefined, leftOut: 0 },
    {
      text: `${'x'.repeat(LINE_BYTES - 1)}… (${Buffer.byteLength(long)} bytes)`,
      height: 4,
      view: 'tell',
      leftOut: 0,
    },
  ]);
});
