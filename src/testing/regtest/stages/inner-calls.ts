import type { MessageStatus } from '../../../lane/types.js';
import type { CallKind } from '../../../program/types.js';
import { formatId } from '../../../protocol/alkane-id.js';
import {
  balance,
  burn,
  makeCall,
  put,
  RETURNED,
  read,
  type Script,
  SEQUENCE,
  transfer,
} from '../../../selftest/inputs/actor-steps.js';
import { call, type Stone } from '../messages.js';
import { type Actors, act, createActors, minted, revealing } from './actors.js';
import { callContractsStage } from './call-contracts.js';
import { limitsOfCallsStage } from './call-limits.js';
import { CREATE, type World } from './world.js';

const COINS = 80;
const KINDS: readonly CallKind[] = ['call', 'delegatecall', 'staticcall'];
const BUILT_INS = [0, 1, 3];
/** What nobody has so much of. */
const TOO_MUCH = 1n << 100n;

/** Every case that section 9 of docs/lane-rules.md names, and the project's own contracts that call others. */
export function innerCallStages(world: World): void {
  world.director.fund(COINS);
  const actors = createActors(world);
  world.director.seal();
  storageCases(world, actors);
  assetCases(world, actors);
  creationCases(world, actors);
  returnCases(world, actors);
  world.director.seal();
  callContractsStage(world, actors);
  limitsOfCallsStage(world, actors);
  world.director.seal();
}

function storageCases({ director }: World, { actor, other }: Actors): void {
  const [me, you] = [actor, other].map(formatId);
  const one = (kind: string, ...steps: Script[]) =>
    director.send({ kind, stones: [act(actor, steps)], expect: ['OK'] });
  one('a contract that calls itself', put(1, 11), makeCall('call', me, [put(2, 22), read(1)]), read(2));
  one(
    're-entrancy that reads the checkpoint',
    makeCall('call', you, [makeCall('call', me, [read(3)])], { checkpoint: [[3, 7]] }),
  );
  const checkpoint = [
    [4, 5],
    [5, 4],
    [4, 7],
  ] as const;
  one(
    "a checkpoint that the caller's result later overrides",
    makeCall('call', me, [read(4), read(5)], { checkpoint }),
    put(4, 9),
  );
}

function assetCases({ director }: World, { actor, other, assets }: Actors): void {
  const [me, you, coin] = [actor, other, assets[0]].map(formatId);
  const send = (kind: string, expect: MessageStatus, ...steps: Script[]) =>
    director.send({ kind, stones: [act(actor, steps)], expect: [expect] });
  director.send({ kind: 'assets kept', stones: [minted(assets[0], 100n, 1), call(actor, [])], expect: ['OK', 'OK'] });
  const taken = makeCall('call', `5:${actor.tx}`, [transfer(`2:${director.nextSequence}`, 9n)]);
  send(
    'a static call that writes, creates, mints and is taken back',
    'OK',
    makeCall('staticcall', you, [put(6, 1), taken, transfer(coin, 2n), transfer(you, 9n)], {
      ...{ parcel: [[coin, 10n] as const, [me, 7n] as const], checkpoint: [[6, 1] as const] },
    }),
    balance(me, coin),
  );
  const delegated = (asset: string) =>
    makeCall('delegatecall', you, [makeCall('call', you, [], { parcel: [[asset, 4n]] })]);
  send("a delegate call that mints the caller's id", 'OK', delegated(me));
  send("a delegate call that mints the code's id", 'REJECTED', delegated(you));
  /** The message gets 7 units, which a failure leaves on output 1. */
  const refunded = (kind: string, ...steps: Script[]) => {
    const stones = [minted(assets[0], 7n, 1, 2), act(actor, steps, { refund: 1 })];
    director.send({ kind, stones, outputs: 2, expect: ['OK', 'REJECTED'] });
  };
  refunded('a child that transfers more than it has', makeCall('call', you, [put(7, 1), transfer(coin, TOO_MUCH)]));
  send(
    'a parcel whose own-id part is minted',
    'OK',
    makeCall('call', me, [], { parcel: [[me, 3n]] }),
    makeCall('call', you, [balance(you, me)], { parcel: [[me, 5n]] }),
    balance(me, me),
  );
  const deepest = makeCall('call', you, [put(9, 9), transfer(coin, TOO_MUCH)]);
  refunded(
    "a failure at depth 3 refunds the message's incoming",
    makeCall('call', you, [put(8, 1), makeCall('staticcall', me, [put(8, 2), deepest])], {
      ...{ parcel: [[coin, 3n] as const], checkpoint: [[8, 5] as const] },
    }),
  );
}

function creationCases(world: World, { actor }: Actors): void {
  const { director, programs } = world;
  const create = makeCall('call', '1:0', []);
  const twice = (stones: Stone[], ...expect: MessageStatus[]) => {
    director.send({
      kind: 'a second creation by 1:0 in one transaction, in another message and in an inner call',
      ...{ spend: [revealing(world, programs.calls.burner)], stones, expect },
    });
    if (expect[0] === 'OK') director.nextSequence++;
  };
  twice([act(actor, [create, create])], 'REJECTED');
  twice([call(CREATE, []), act(actor, [create])], 'OK', 'REJECTED');
  twice([act(actor, [create]), call(CREATE, [])], 'OK', 'REJECTED');
  const clone = (value: number) => makeCall('call', `5:${actor.tx}`, [put(1, value)]);
  director.send({ kind: 'two clones in one message', stones: [act(actor, [clone(1), clone(2)])], expect: ['OK'] });
  director.nextSequence += 2n;
  director.send({
    kind: 'creation in a static call',
    spend: [revealing(world, programs.calls.actor)],
    stones: [act(actor, [makeCall('staticcall', '1:0', [put(1, 5), SEQUENCE]), SEQUENCE]), act(actor, [create])],
    expect: ['OK', 'REJECTED'],
  });
}

function returnCases({ director }: World, { actor }: Actors): void {
  const me = formatId(actor);
  director.send({
    kind: 'return data after two calls',
    stones: [
      act(actor, [
        ...[RETURNED, makeCall('call', me, [balance(me, me)]), RETURNED],
        ...[makeCall('call', me, []), RETURNED],
      ]),
    ],
    expect: ['OK'],
  });
  const asked = KINDS.flatMap((kind) => BUILT_INS.map((k) => makeCall(kind, `800000000:${k}`, [])));
  director.send({ kind: 'the built-ins in all three kinds', stones: [act(actor, asked)], expect: ['OK'] });
  // Each burns more than half of what the transaction has.
  const burning = act(actor, [makeCall('call', me, [burn(140_000), put(10, 1)])]);
  director.send({
    kind: 'two messages of one transaction, the second with the fuel that the first left',
    stones: [burning, burning],
    expect: ['OK', 'OUT_OF_FUEL'],
  });
}
