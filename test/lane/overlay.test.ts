import { describe, expect, it } from 'vitest';
import { LONG_CODE, MapOverlay, TransactionView } from '../../src/lane/overlay.js';
import { bytesEqual } from '../../src/util/bytes.js';

const base = (values: Record<string, number>) => {
  const asked: string[] = [];
  return {
    asked,
    get: (key: string) => {
      asked.push(key);
      return values[key] === undefined ? undefined : Uint8Array.of(values[key]);
    },
  };
};

describe('the view of a transaction', () => {
  it('reads a spent sheet as absent from then on, also after an undoing, and deletes it whatever happens', () => {
    const view = new TransactionView(base({ sheet: 1, other: 2 }));
    expect(view.get('sheet')).toEqual(Uint8Array.of(1));
    view.deleteSpent('sheet');
    expect(view.get('sheet')).toBeUndefined();
    expect(view.peek('sheet')).toBeUndefined();
    view.set('other', Uint8Array.of(3));
    view.undo();
    expect(view.get('sheet')).toBeUndefined();
    expect(view.end().writes).toEqual(new Map([['sheet', undefined]]));
    expect(view.reads).toEqual(new Map([['sheet', Uint8Array.of(1)]]));
  });

  it('records what it saw of a key once, absent ones too, and reads on from what it recorded', () => {
    const state = base({ there: 1 });
    const view = new TransactionView(state);
    for (let i = 0; i < 2; i++) for (const key of ['there', 'absent']) view.get(key);
    view.peek('peeked');
    expect(state.asked).toEqual(['there', 'absent', 'peeked']);
    expect([...view.reads.keys()]).toEqual(['there', 'absent']);
  });

  it('holds so much long code and no more, reads the rest again, and hands none of it on', () => {
    const code = new Uint8Array(2 * 2 ** 20);
    const keys = Array.from({ length: 18 }, (_, i) => `code/${i}`);
    const asked: string[] = [];
    const view = new TransactionView({
      get: (key) => {
        asked.push(key);
        return key === 'code/none' ? undefined : code;
      },
    });
    for (const key of [...keys, 'code/none', 'store/long']) view.get(key);
    expect(asked).toEqual([...keys, 'code/none', 'store/long']);
    for (const key of [...keys, 'code/none', 'store/long']) expect(view.get(key)).toBe(view.peek(key));
    // 32 MiB are held.
    expect(asked.slice(20)).toEqual(['code/16', 'code/16', 'code/17', 'code/17']);
    const { reads } = view.end();
    expect([...reads.keys()]).toEqual([...keys, 'code/none', 'store/long']);
    expect([...reads.values()].map((value) => value === LONG_CODE)).toEqual([...keys.map(() => true), false, false]);
  });

  it('keeps or drops the writes of a message as one, over those of the messages before it', () => {
    const view = new TransactionView(base({}));
    view.beginMessage();
    view.set('a', Uint8Array.of(1));
    view.set('b', Uint8Array.of(1));
    view.keepMessage();
    view.beginMessage();
    view.set('b', Uint8Array.of(2));
    expect(view.get('b')).toEqual(Uint8Array.of(2));
    view.dropMessage();
    expect(view.get('b')).toEqual(Uint8Array.of(1));
    view.beginMessage();
    view.set('b', undefined);
    expect(view.get('b')).toBeUndefined();
    view.keepMessage();
    expect(view.end().writes).toEqual(
      new Map([
        ['a', Uint8Array.of(1)],
        ['b', undefined],
      ]),
    );
  });
});

describe('a state under changes', () => {
  it('does not fall through to what was deleted', () => {
    const overlay = new MapOverlay(base({ a: 1, b: 2 }));
    overlay.apply(new Map([['a', undefined]]));
    expect(overlay.get('a')).toBeUndefined();
    expect(overlay.get('b')).toEqual(Uint8Array.of(2));
    overlay.apply(new Map([['a', Uint8Array.of(3)]]));
    expect(overlay.get('a')).toEqual(Uint8Array.of(3));
  });

  it('is the same when it has become too many for a plain map', () => {
    const overlay = new MapOverlay(base({ 'key 3': 1, other: 2 }));
    const expected = new Map<string, Uint8Array | undefined>();
    for (let i = 0; i < 70_000; i++) expected.set(`key ${i}`, i % 3 === 0 ? undefined : Uint8Array.of(i, i >> 8));
    overlay.apply(expected);
    overlay.apply(new Map([['key 7', undefined]]));
    expected.set('key 7', undefined);
    expect(overlay.get('key 3')).toBeUndefined();
    expect(overlay.get('key 4')).toEqual(Uint8Array.of(4, 0));
    expect(overlay.get('other')).toEqual(Uint8Array.of(2));
    expect(overlay.changes).not.toBeInstanceOf(Map);
    const wrong = [...overlay.changes].filter(
      ([key, value]) => !expected.has(key) || !bytesEqual(value, expected.get(key)),
    );
    expect([overlay.changes.size, wrong]).toEqual([expected.size, []]);
  });
});
