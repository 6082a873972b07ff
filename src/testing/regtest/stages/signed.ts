import { encodeEnvelope, gzipStored } from '../../../protocol/encode.js';
import type { AlkaneId } from '../../../protocol/types.js';
import {
  asInputs,
  ledgerDeposit,
  ledgerTransfer,
  ledgerWithdrawal,
  nameBytes,
  nameRegistration,
  nameTransfer,
  nameUpdate,
  Signer,
} from '../../../selftest/inputs/signed-calls.js';
import { concatBytes, u32Bytes } from '../../../util/bytes.js';
import type { Coin } from '../../../wallet/coins.js';
import { call, type Stone } from '../messages.js';
import { CLAIM, CREATE, MINT, MINT_VALUE, type World } from './world.js';

const FUNDING = 500;
const SIGNERS = 40;
/** One ordinary output and the runestone: the second message's shadow output. */
const SECOND_SHADOW = 4;
const MIXED_BLOCKS = 3;
const MIXED_TRANSACTIONS = 40;

type Inputs = readonly (bigint | number)[];

/** What the stages of signed traffic share: the contracts, the keys, the nonces and balances that must be. */
interface Signed {
  readonly world: World;
  readonly ledger: AlkaneId;
  readonly names: AlkaneId;
  readonly signers: readonly Signer[];
  readonly balances: bigint[];
  readonly nonces: bigint[];
}

/** Deployment of ledger and names, then blocks of their traffic: calls authorised by signatures. */
export function signedStages(world: World, seed: string): void {
  world.director.fund(FUNDING);
  world.director.seal();
  const signed = deploy(world, seed);
  deposits(signed);
  wideTransfers(signed);
  transferChains(signed);
  withdrawals(signed);
  registrations(signed);
  changes(signed);
  for (let block = 0; block < MIXED_BLOCKS; block++) mixed(signed, block);
}

function deploy(world: World, seed: string): Signed {
  const { director, programs } = world;
  const reveal = (wasm: Uint8Array): Coin[] => [director.commit(encodeEnvelope(gzipStored(wasm)))];
  const create = (wasm: Uint8Array, inputs: Inputs): AlkaneId =>
    director.create(CREATE, { kind: 'create 1:0', spend: reveal(wasm), stones: [call(CREATE, inputs)] });
  const ledger = create(programs.ledger, [0, MINT.block, MINT.tx]);
  const names = create(programs.names, [0]);
  director.send({ kind: 'initialise twice', stones: [call(ledger, [0, 2, 1])], expect: ['REVERT'] });
  director.seal();
  const signers = Array.from({ length: SIGNERS }, (_, i) => new Signer(seed, i));
  return { world, ledger, names, signers, balances: signers.map(() => 0n), nonces: signers.map(() => 0n) };
}

/** A mint and a message that gets it, in one transaction. */
function funded(target: AlkaneId, inputs: Inputs): Stone[] {
  return [call(MINT, [77], { pointer: SECOND_SHADOW }), call(target, inputs)];
}

/** Each signer's first deposit in one block: they share only keys that are only read. */
function deposits({ world: { director }, ledger, signers, balances }: Signed): void {
  signers.forEach(({ key }, i) => {
    balances[i] += MINT_VALUE;
    director.send({ kind: 'deposit', stones: funded(ledger, ledgerDeposit(key)), expect: ['OK', 'OK'] });
  });
  const [{ key }] = signers;
  director.send({
    kind: 'deposit of nothing',
    stones: [call(ledger, ledgerDeposit(key))],
    expect: ['REVERT'],
  });
  const other = director.send({
    kind: 'deposit of another asset',
    spend: [director.spendHolding(CLAIM)],
    stones: [call(ledger, ledgerDeposit(key))],
    expect: ['REVERT'],
  });
  director.hold(other, 0, CLAIM);
  director.seal();
}

/** A valid transfer, or one with a changed input, which fails. */
function transfer(signed: Signed, from: number, to: number, amount: bigint, spoilt?: number): void {
  const { world, ledger, signers, balances, nonces } = signed;
  const inputs = ledgerTransfer(ledger, signers[from], signers[to].key, amount, nonces[from]);
  const holds = spoilt === undefined && amount > 0n && amount <= balances[from];
  if (holds) {
    balances[from] -= amount;
    balances[to] += amount;
    nonces[from] += 1n;
  }
  world.director.send({
    kind: holds ? 'signed transfer' : 'signed transfer that fails',
    stones: [call(ledger, spoilt === undefined ? inputs : inputs.map((n, i) => (i === spoilt ? n ^ 1n : n)))],
    expect: [holds ? 'OK' : 'REVERT'],
  });
}

/** Disjoint pairs in one block, including one transfer per input in which that input is changed. */
function wideTransfers(signed: Signed): void {
  for (let i = 0; i < SIGNERS; i += 2) {
    transfer(signed, i, i + 1, 1_000n + BigInt(i));
    if (i < 20) transfer(signed, i + 1, i, 500n, 1 + (i >> 1));
  }
  transfer(signed, 0, 1, 0n);
  transfer(signed, 2, 3, MINT_VALUE);
  transfer(signed, 4, 4, 7n);
  signed.world.director.seal();
}

/**
 * One amount through twelve accounts, and one account that pays many times: in both each transfer needs the one before
 * it.
 */
function transferChains(signed: Signed): void {
  const { world, signers } = signed;
  for (let i = 0; i < 12; i++) transfer(signed, 20 + i, 21 + i, MINT_VALUE + 5_000n * BigInt(i + 1) - 5_000n);
  for (let i = 0; i < 12; i++) transfer(signed, 0, 1 + i, 100n);
  world.director.send({
    kind: 'query',
    stones: [call(signed.ledger, [101, ...asInputs(signers[0].key)])],
    expect: ['OK'],
  });
  world.director.send({ kind: 'query', stones: [call(signed.ledger, [100])], expect: ['OK'] });
  world.director.seal();
}

function outpointOf({ txid, vout }: Coin): Uint8Array {
  return concatBytes(txid, u32Bytes(vout));
}

/** Withdrawals, each with a copy of it in a transaction of someone else, which gets nothing. */
function withdrawals({ world: { director }, ledger, signers, balances, nonces }: Signed): void {
  for (let i = 10; i < 18; i++) {
    const coin = director.takeFunding();
    const inputs = ledgerWithdrawal(ledger, signers[i], 2_000n, nonces[i], outpointOf(coin));
    const stones = [call(ledger, inputs)];
    if (i % 2 === 0) director.send({ kind: 'withdrawal that is copied', stones, expect: ['REVERT'] });
    const tx = director.send({ kind: 'withdrawal', spend: [coin], stones, expect: ['OK'] });
    director.hold(tx, 0, MINT);
    balances[i] -= 2_000n;
    nonces[i] += 1n;
  }
  director.seal();
}

const text = (words: string): Uint8Array => new TextEncoder().encode(words);

function registrations({ world: { director }, names, signers }: Signed): void {
  const register = (name: string, owner: Signer, data: Uint8Array, holds: boolean) =>
    director.send({
      kind: holds ? 'name registered' : 'name refused',
      stones: [call(names, nameRegistration(name, owner.key, data))],
      expect: [holds ? 'OK' : 'REVERT'],
    });
  for (const [i, signer] of signers.slice(0, 24).entries()) register(`name-${i}`, signer, text(`owner ${i}`), true);
  register('name-3', signers[5], text('too late'), false);
  register('Name', signers[0], text('upper case'), false);
  register('', signers[0], text('no name'), false);
  register('long', signers[0], new Uint8Array(129), false);
  register('z'.repeat(32), signers[0], new Uint8Array(128).fill(7), true);
  // Two of one block want the same name; the first one in block order has it.
  register('wanted', signers[1], text('first'), true);
  register('wanted', signers[2], text('second'), false);
  director.seal();
}

function changes({ world: { director }, names, signers }: Signed): void {
  const send = (kind: string, inputs: Inputs, holds: boolean) =>
    director.send({ kind, stones: [call(names, inputs)], expect: [holds ? 'OK' : 'REVERT'] });
  for (let i = 0; i < 12; i++) {
    send('name updated', nameUpdate(names, signers[i], `name-${i}`, 0n, text(`news of ${i}`)), true);
  }
  for (let i = 12; i < 18; i++) {
    send('name given', nameTransfer(names, signers[i], `name-${i}`, 0n, signers[i + 1].key), true);
    send('name updated', nameUpdate(names, signers[i + 1], `name-${i}`, 1n, text('mine now')), true);
    send('name change refused', nameUpdate(names, signers[i], `name-${i}`, 2n, text('still mine?')), false);
  }
  // Registered, changed and given away in one block: the dry run finds no such name.
  send('name registered', nameRegistration('fresh', signers[30].key, text('new')), true);
  send('name updated', nameUpdate(names, signers[30], 'fresh', 0n, text('newer')), true);
  send('name given', nameTransfer(names, signers[30], 'fresh', 1n, signers[31].key), true);
  send('name change refused', nameUpdate(names, signers[0], 'nobody', 0n, text('')), false);
  send('name change refused', nameUpdate(names, signers[0], 'name-0', 0n, text('old nonce')), false);
  send('query', [4, ...asInputs(nameBytes('fresh'))], true);
  director.seal();
}

/** Everything at once, drawn from the seed. */
function mixed(signed: Signed, block: number): void {
  const { world, ledger, names, signers, balances } = signed;
  const { director } = world;
  const someone = (): number => director.random.below(SIGNERS);
  for (let i = 0; i < MIXED_TRANSACTIONS; i++) {
    const kind = director.random.below(10);
    const from = someone();
    if (kind < 6) transfer(signed, from, someone(), BigInt(1 + director.random.below(3_000)));
    else if (kind === 6) transfer(signed, from, someone(), 5n, 7 + director.random.below(4));
    else if (kind === 7) {
      const inputs = ledgerDeposit(signers[from].key);
      balances[from] += MINT_VALUE;
      director.send({ kind: 'deposit', stones: funded(ledger, inputs), expect: ['OK', 'OK'] });
    } else {
      const inputs = nameRegistration(`mixed-${block}-${i}`, signers[from].key, text(`${i}`));
      director.send({ kind: 'name registered', stones: [call(names, inputs)], expect: ['OK'] });
    }
  }
  director.seal();
}
