// Transactions of the common kind, where they differ most from how the generator works: a world runs every block both
// ways and compares the outcomes.
import { expect, it } from 'vitest';
import { parseId } from '../../../src/protocol/alkane-id.js';
import { concatBytes, u32Bytes, u128Bytes } from '../../../src/util/bytes.js';
import { i32, WasmBuilder } from '../../helpers/wasm-builder.js';
import { call, makeTx, PROBE, World } from '../world.js';

type Transfer = readonly [id: string, amount: bigint];

/** A contract whose every call pays `transfers` out. */
function paying(transfers: readonly Transfer[]): Uint8Array {
  const result = concatBytes(
    u128Bytes(BigInt(transfers.length)),
    ...transfers.flatMap(([id, amount]) => [...Object.values(parseId(id)), amount].map(u128Bytes)),
    u32Bytes(0),
  );
  return new WasmBuilder()
    .data(8, concatBytes(u32Bytes(result.length), result))
    .execute([i32(12)])
    .bytes();
}

/** A call of a contract that pays `transfers` out and holds `balances`. */
function paid(transfers: readonly Transfer[], balances: Readonly<Record<string, bigint>>) {
  const world = new World();
  world.deploy(PROBE);
  const id = world.deploy(paying(transfers.map(([asset]) => [asset, 0n])));
  world.state.set(...codeOf(world, id, transfers));
  for (const [asset, amount] of Object.entries(balances)) world.setBalance(asset, id, amount);
  const tx = makeTx({ protostones: [{ pointer: 0, refund: 1, message: call(id, 1) }] });
  const [outcome] = world.run(tx);
  return { world, id, tx, message: outcome.messages[0] };
}

/** The row of the contract's code with what it pays. */
function codeOf(world: World, id: string, transfers: readonly Transfer[]): [string, Uint8Array] {
  const [key] = [...world.state.keys()].filter((name) => name.startsWith('code/')).slice(-1);
  expect(world.code(id)).toBeDefined();
  return [key, concatBytes(Uint8Array.of(0), paying(transfers))];
}

it('two spent sheets are summed', () => {
  const world = new World();
  const id = world.deploy();
  const spend = [world.give({ '2:7': 5n }), world.give({ '2:7': 6n, '2:8': 1n })];
  const tx = makeTx({ spend, protostones: [{ pointer: 0, refund: 1, message: call('2:99', 1) }] });
  world.run(tx);
  expect(world.sheet(tx, 1)).toEqual({ '2:7': 11n, '2:8': 1n });
  expect(id).toBe('2:1');
});

it('a second transfer of an asset sees what the first one left', () => {
  const { message, world, id } = paid(
    [
      ['2:7', 5n],
      ['2:7', 5n],
    ],
    { '2:7': 7n },
  );
  expect(message).toMatchObject({ status: 'REJECTED', error: 'transfer beyond the balance' });
  expect(world.balance('2:7', id)).toBe(7n);
});

it('the assets of a sheet ascend, whatever the order of the transfers', () => {
  const { message, world, tx } = paid(
    [
      ['4:1', 1n],
      ['2:9', 2n],
      ['2:7', 3n],
    ],
    { '4:1': 1n, '2:9': 9n, '2:7': 3n },
  );
  expect(message.status).toBe('OK');
  expect(Object.entries(world.sheet(tx))).toEqual([
    ['2:7', 3n],
    ['2:9', 2n],
    ['4:1', 1n],
  ]);
});
