// Accounts by x-only key, transfers by signature: heavy compute, two keys each. docs/programs.md, "ledger".
import { contextBegin, incoming, incomingCount, input, inputBuffer, inputU64, opcode, sameId } from '../sdk/context';
import { isDryRun, loadTransactionInto, recordPut, requestTransaction, require, revert } from '../sdk/env';
import { allocateBuffer, appendBytes, bufferLength, textBuffer } from '../sdk/memory';
import { finish, finishEmpty, put, responseBegin, returnIncoming, transfer as pay } from '../sdk/response';
import { signedBegin, signedBy } from '../sdk/signed';
import { get, key, keyOfTwo } from '../sdk/storage';
import * as u128 from '../sdk/u128';

/** SHA-256 of `warpshrew/ledger/transfer`. */
const TRANSFER_TAG: usize = memory.data<u8>([
  0x88, 0xb2, 0x41, 0x9d, 0x49, 0x8b, 0x58, 0xd8, 0x60, 0xff, 0xca, 0xed, 0xf7, 0xa6, 0x5e, 0xf2,
  0xb1, 0x44, 0xb2, 0x7b, 0x54, 0xbf, 0x52, 0x98, 0x48, 0x42, 0xed, 0x03, 0x7a, 0x70, 0xaf, 0x28,
]);
/** SHA-256 of `warpshrew/ledger/withdraw`. */
const WITHDRAW_TAG: usize = memory.data<u8>([
  0x41, 0x45, 0xd3, 0xea, 0x91, 0x3b, 0x15, 0xc9, 0xec, 0xe1, 0x1b, 0x79, 0xff, 0x6b, 0xb9, 0xb1,
  0xc8, 0xa9, 0x67, 0x94, 0x11, 0x35, 0x78, 0x44, 0x6b, 0xdf, 0x42, 0xb6, 0x90, 0x20, 0xdf, 0xbe,
]);

/** The value of an account: balance (u128), nonce (u64). */
const ACCOUNT_BYTES: u32 = 24;
const ACCOUNT: usize = memory.data(24, 8);
const RECEIVER: usize = memory.data(24, 8);
const PREFIX_BYTES: u32 = 8;
/** Of a transaction with one input and one output. */
const SMALLEST_TRANSACTION: u32 = 60;

/** Storage key of the account whose key is inputs `first` and the next. */
function accountName(first: u32): usize {
  return keyOfTwo('account/', input(first), input(first + 1));
}

/** The 32 bytes of the key in an account's storage key. */
@inline
function keyIn(name: usize): usize {
  return name + PREFIX_BYTES;
}

/** Loads an account; a missing one has balance 0 and nonce 0. */
function loadAccount(account: usize, name: usize): void {
  const value = get(name);
  if (bufferLength(value) == ACCOUNT_BYTES) memory.copy(account, value, ACCOUNT_BYTES);
}

/** The 32-byte id of the ledger's asset; reverts before initialise. */
function loadAsset(): usize {
  const asset = get(key('asset'));
  require(bufferLength(asset) == 32);
  return asset;
}

function initialise(): usize {
  const name = key('asset');
  require(bufferLength(get(name)) == 0);
  const asset = inputBuffer(1, 2);
  responseBegin();
  returnIncoming();
  put(name, asset, 32);
  return finishEmpty();
}

function deposit(): usize {
  const asset = loadAsset();
  require(incomingCount() == 1 && sameId(incoming(0), asset));
  const name = accountName(1);
  loadAccount(ACCOUNT, name);
  require(!u128.add(ACCOUNT, ACCOUNT, incoming(0) + 32));
  responseBegin();
  put(name, ACCOUNT, ACCOUNT_BYTES);
  return finishEmpty();
}

/**
 * Takes `amount` out of ACCOUNT; reverts unless the account has it and input `nonce` is the account's nonce, which is
 * incremented.
 */
function spend(amount: usize, nonce: u32): void {
  require(!u128.isZero(amount) && !u128.subtract(ACCOUNT, ACCOUNT, amount));
  const number = inputU64(nonce);
  require(number == load<u64>(ACCOUNT, 16) && number != u64.MAX_VALUE);
  store<u64>(ACCOUNT, number + 1, 16);
}

/** Appends amount and nonce to a signed message. */
function appendSpending(amount: usize, nonce: u32): void {
  appendBytes(amount, 16);
  appendBytes(input(nonce), 8);
}

function transfer(): usize {
  const from = accountName(1);
  const to = accountName(3);
  const amount = input(5);
  loadAccount(ACCOUNT, from);
  loadAccount(RECEIVER, to);
  const dry = isDryRun() != 0;
  if (dry) {
    // Whether an account has the amount and the nonce may be decided by this very block; what is touched is not.
    recordPut(from);
    recordPut(to);
  }
  spend(amount, 6);
  if (!dry) {
    const message = signedBegin(TRANSFER_TAG);
    appendBytes(keyIn(from), 32);
    appendBytes(keyIn(to), 32);
    appendSpending(amount, 6);
    require(signedBy(message, keyIn(from), 7));
  }
  const self = u128.equal(keyIn(from), keyIn(to)) && u128.equal(keyIn(from) + 16, keyIn(to) + 16);
  const receiver = self ? ACCOUNT : RECEIVER;
  require(!u128.add(receiver, receiver, amount));
  responseBegin();
  returnIncoming();
  put(from, ACCOUNT, ACCOUNT_BYTES);
  if (!self) put(to, RECEIVER, ACCOUNT_BYTES);
  return finishEmpty();
}

/**
 * The 36 bytes of the outpoint that the transaction's first input spends. Signed with a withdrawal, it makes the
 * signature valid only in a transaction of the owner of that output: otherwise anyone who sees it could redirect the
 * payment.
 */
function firstOutpoint(): usize {
  const length = requestTransaction();
  require(length >= SMALLEST_TRANSACTION);
  const transaction = allocateBuffer(length);
  loadTransactionInto(transaction);
  let at = transaction + 4;
  // Marker and flag of a transaction with witnesses.
  if (load<u8>(at) == 0) at += 2;
  const count = load<u8>(at);
  return at + (count < 0xfd ? 1 : count == 0xfd ? 3 : 5);
}

function withdraw(): usize {
  const asset = loadAsset();
  const name = accountName(1);
  const amount = input(3);
  loadAccount(ACCOUNT, name);
  const dry = isDryRun() != 0;
  if (dry) recordPut(name);
  spend(amount, 4);
  if (!dry) {
    const outpoint = firstOutpoint();
    const message = signedBegin(WITHDRAW_TAG);
    appendBytes(keyIn(name), 32);
    appendSpending(amount, 4);
    appendBytes(outpoint, 36);
    require(signedBy(message, keyIn(name), 5));
  }
  responseBegin();
  returnIncoming();
  pay(asset, amount);
  put(name, ACCOUNT, ACCOUNT_BYTES);
  return finishEmpty();
}

function answer(data: usize): usize {
  responseBegin();
  returnIncoming();
  return finish(data, bufferLength(data));
}

export function __execute(): usize {
  contextBegin();
  const code = opcode();
  if (code == 2) return transfer();
  if (code == 1) return deposit();
  if (code == 3) return withdraw();
  if (code == 0) return initialise();
  if (code == 99) return answer(textBuffer('ledger'));
  if (code == 100) return answer(get(key('asset')));
  if (code == 101) return answer(get(accountName(1)));
  revert();
  return 0;
}
