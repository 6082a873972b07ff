import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ownerNamed, pageOf } from '../../explorer/data/forms.js';
import { decodeKey, keyLine, numberOf, ownerOf, storageKeyHex, textOf } from '../../explorer/data/keys.js';
import { pathTo, routeOf } from '../../explorer/route.js';
import { balanceKey, codeKey, keyBytes, keyHex, SEQUENCE_KEY, sheetKey, storagePrefix } from '../../src/lane/keys.js';
import { formatId } from '../../src/protocol/alkane-id.js';
import { keyText } from '../../src/trace/key-text.js';
import { concatBytes, toDisplayHash, toHex } from '../../src/util/bytes.js';

const U128 = fc.bigInt({ min: 0n, max: (1n << 128n) - 1n });
const ID = fc.record({ block: U128, tx: U128 });

describe('keys of the lane in the explorer', () => {
  it('are decoded as the program does it', () => {
    fc.assert(
      fc.property(ID, ID, fc.uint8Array({ maxLength: 40 }), (a, b, own) => {
        const storage = toHex(concatBytes(keyBytes(storagePrefix(a)), own));
        const id = formatId(a);
        expect(decodeKey(storage)).toEqual({
          kind: 'storage',
          contract: id,
          own: toHex(own),
          text: textOf(toHex(own)),
        });
        expect(storageKeyHex(id, toHex(own))).toBe(storage);
        const balance = { kind: 'balance' as const, asset: id, holder: formatId(b) };
        expect(decodeKey(keyHex(balanceKey(a, b)))).toEqual(balance);
        expect(ownerOf(balance)).toBe(balance.holder);
        expect(keyText(keyHex(balanceKey(a, b)))).toBe(keyLine(keyHex(balanceKey(a, b))));
        expect(decodeKey(keyHex(codeKey(a)))).toEqual({ kind: 'code', contract: id });
      }),
      { numRuns: 50, seed: 15 },
    );
    const txid = Uint8Array.from({ length: 32 }, (_, i) => i);
    expect(decodeKey(keyHex(sheetKey(txid, 258)))).toEqual({ kind: 'sheet', outpoint: `${toDisplayHash(txid)}:258` });
    expect(decodeKey(keyHex(SEQUENCE_KEY))).toEqual({ kind: 'sequence' });
  });

  it('are shown as they are where they are none', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (bytes) => {
        const hex = toHex(bytes);
        expect(decodeKey(hex)).toEqual({ kind: 'other', hex });
      }),
      { seed: 15 },
    );
    for (const hex of ['', '73746f72652f', '73746f72652f00', '636f64652f00', '73686565742f']) {
      expect(decodeKey(hex).kind).toBe('other');
    }
  });

  it('values of up to 16 bytes are numbers, printable ones texts', () => {
    expect([numberOf('0001'), numberOf(''), numberOf('ff'.repeat(17))]).toEqual(['256', undefined, undefined]);
    expect([textOf('636170'), textOf('6300'), textOf('')]).toEqual(['cap', undefined, undefined]);
  });
});

describe('addresses of pages', () => {
  it.each([
    ['185', '#/block/185'],
    ['1,234', '#/block/1234'],
    ['2:1', '#/contract/2:1'],
    [`${'ab'.repeat(32)}:7`, `#/output/${'ab'.repeat(32)}:7`],
    ['ab'.repeat(32), undefined],
    [`${'AB'.repeat(32)}:7`, `#/output/${'ab'.repeat(32)}:7`],
    ['bcrt1qqurswpc8qurswpc8qurswpc8qurswpc8dxm0gk', '#/address/bcrt1qqurswpc8qurswpc8qurswpc8qurswpc8dxm0gk'],
    ['1BoatSLRHtKNngkdXEeobR76b53LETtpyT', '#/address/1BoatSLRHtKNngkdXEeobR76b53LETtpyT'],
    [`0014${'07'.repeat(20)}`, `#/address/0014${'07'.repeat(20)}`],
    ['0x51', '#/address/0x51'],
    [`0x${'ab'.repeat(32)}`, undefined],
    ['2:', undefined],
    ['<script>', undefined],
    ['1234567890123456', undefined],
  ])('what %s can only mean is %s', (text, page) => {
    expect(pageOf(text)).toBe(page);
  });

  it('of owners say whether it is a script, its hash or an address', () => {
    const [hash, script] = ['ab'.repeat(32), `0014${'07'.repeat(20)}`];
    expect([hash, `0x${hash}`].map(ownerNamed)).toEqual([{ scriptHash: hash }, { scriptHash: `0x${hash}` }]);
    expect([script, '0x51', '0x'].map(ownerNamed)).toEqual([{ script }, { script: '0x51' }, { script: '0x' }]);
    expect(['bc1qx', '0051', ''].map(ownerNamed)).toEqual([{ address: 'bc1qx' }, { address: '0051' }, { address: '' }]);
  });

  it('lead to the page that they were made for, whatever it is about', () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1, maxLength: 200 }), (about) => {
        expect(routeOf(pathTo('search', about))).toEqual({ page: 'search', about });
      }),
      { seed: 15 },
    );
    for (const hash of ['', '#', '#/', '#/nosuch/1', '#//'])
      expect(routeOf(hash)).toEqual({ page: 'status', about: '' });
    expect(routeOf('#/tx/%')).toEqual({ page: 'tx', about: '%' });
    expect(routeOf(`#/tx/${'a'.repeat(1_000)}`).about.length).toBe(200);
  });
});
