/** Random blocks that hold together: chains of spends inside the block, witnesses, runestones whole and spoilt. */
import fc from 'fast-check';
import { sha256d } from '../../src/bitcoin/hash.js';
import { parseTransaction } from '../../src/bitcoin/parse-transaction.js';
import { encodeRunestone } from '../../src/protocol/encode.js';
import { concatBytes } from '../../src/util/bytes.js';
import { block, coinbase, commitmentOf, serialise, type TxParts } from './builder.js';

const bytes = (maxLength: number) => fc.uint8Array({ maxLength });

/** Outpoints outside the block: few, so that a test may give some of them a sheet. */
export const outsideTxid = (number: number): Uint8Array => sha256d(Uint8Array.of(number));

const runestone = fc
  .record({
    pointer: fc.option(fc.nat(3), { nil: undefined }),
    tag: fc.constantFrom(1n, 2n, 1n << 70n),
    message: fc.option(bytes(40), { nil: undefined }),
    spoil: fc.option(fc.tuple(fc.nat(), fc.nat(255)), { nil: undefined, freq: 2 }),
  })
  .map(({ pointer, tag, message, spoil }) => {
    const script = encodeRunestone({ protostones: [{ protocolTag: tag, pointer, refund: 0, message }] }).slice();
    if (spoil !== undefined) script[2 + (spoil[0] % (script.length - 2))] = spoil[1];
    return script;
  });

const mint = fc.tuple(fc.nat(127), fc.nat(127)).map(([a, b]) => Uint8Array.of(0x6a, 0x5d, 4, 20, a, 20, b));
const loose = bytes(30).map((data) => concatBytes(Uint8Array.of(0x6a, 0x5d), data));
const script = fc.oneof(bytes(40), bytes(600), runestone, mint, loose);

const transaction = fc.record({
  /** Which transaction is spent: of the block if there is one that far back, else one outside. */
  spends: fc.array(fc.record({ back: fc.nat(6), vout: fc.nat(3), script: bytes(300) }), { minLength: 1, maxLength: 4 }),
  outputs: fc.array(fc.record({ value: fc.bigInt(0n, 2_100_000_000_000_000n), script }), {
    minLength: 1,
    maxLength: 4,
  }),
  witness: fc.option(fc.array(bytes(300), { maxLength: 4 }), { nil: undefined }),
});

/** A block that verifies. */
export function randomBlock(): fc.Arbitrary<Uint8Array> {
  return fc.array(transaction, { maxLength: 12 }).map((parts) => {
    const raws: Uint8Array[] = [];
    const txids: Uint8Array[] = [];
    for (const { spends, outputs, witness } of parts) {
      const inputs = spends.map(({ back, vout, script: input }, i): NonNullable<TxParts['inputs']>[number] => ({
        prevTxid: txids[txids.length - 1 - back] ?? outsideTxid(back),
        prevVout: vout,
        script: input,
        // A witness flag wants a witness.
        witness: witness === undefined ? undefined : i === 0 ? [new Uint8Array(64), ...witness] : witness,
      }));
      const raw = serialise({ inputs, outputs });
      raws.push(raw);
      txids.push(parseTransaction(raw).txid);
    }
    const bare = parts.every(({ witness }) => witness === undefined);
    return block([coinbase(bare ? {} : { commitment: commitmentOf(raws) }), ...raws]);
  });
}
