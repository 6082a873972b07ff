// Calls of contracts by contracts: order, frames, layers, receipts.
import { inFile } from './in-file.mjs';

const CALLS = ['order', 'frames', 'storage', 'assets', 'creations', 'receipts'].map(
  (name) => `test/lane/calls/${name}.test.ts`,
);
const PAGES = 'test/lane/calls/pages.test.ts';
const call = inFile('src/lane/inner-call.ts', ...CALLS);
const buffers = inFile('src/program/call-buffers.ts', ...CALLS);
const overlay = inFile('src/lane/overlay.ts', ...CALLS);
const tree = inFile('src/lane/call-tree.ts', ...CALLS);
const balances = inFile('src/lane/balances.ts', ...CALLS);
const host = inFile('src/program/host-functions.ts', ...CALLS);
const instance = inFile('src/program/instance.ts', PAGES, ...CALLS);
const builtIns = inFile('src/lane/built-ins.ts', 'test/lane/calls/built-ins.test.ts');

export const CALLS_MUTANTS = [
  call('call-checkpoint-not-written', '    caller.store(request.checkpoint);\n', '', 'a checkpoint is not written'),
  call(
    'call-static-kept',
    "const isTrial = this.request.buffers.kind === 'staticcall';",
    'const isTrial = false;',
    'a static call is not taken back',
  ),
  call(
    'call-parcel-stays',
    'const stuck = isDelegated ? undefined : move(view, caller.myself, id, request.parcel);',
    'const stuck = undefined;',
    'the parcel of a call does not move',
  ),
  call(
    'call-delegated-parcel-moves',
    'const stuck = isDelegated ? undefined : move',
    'const stuck = move',
    'the parcel of a delegate call moves',
  ),
  call(
    'call-transfers-stay',
    'const owed = isDelegated ? undefined : move(view, id, caller.myself, result.transfers);',
    'const owed = undefined;',
    'what a contract sends does not reach its caller',
  ),
  call(
    'call-delegated-transfers-move',
    'const owed = isDelegated ? undefined : move',
    'const owed = move',
    'what delegated code sends moves',
  ),
  call(
    'call-not-charged',
    'from.charge(fuel + (isCreation(target) ? CREATION_FUEL : 0));',
    '',
    'a call costs its caller nothing',
  ),
  call(
    'call-creation-free',
    'fuel + (isCreation(target) ? CREATION_FUEL : 0)',
    'fuel',
    'a creation in a call costs no more than a call',
  ),
  call('call-result-free', '    from.charge(result.fuel);\n', '', 'the result of a call is not paid'),
  call('call-map-dropped', '    frame.store(result.storage);\n', '', 'the storage map of a call is lost'),
  call('call-one-deeper', 'from.depth >= MAX_DEPTH', 'from.depth > MAX_DEPTH', 'a frame at depth 33 runs'),
  call(
    'call-delegate-is-call',
    'isDelegated ? [caller.myself, caller.caller] : [id, caller.myself]',
    '[id, caller.myself]',
    'a delegate call works on the target',
  ),
  call(
    'call-failure-forgotten',
    '    this.tree.failure = { status, error };\n',
    '',
    'a message does not tell how a frame below it failed',
  ),
  buffers('call-checkpoint-free', 'CALL_FUEL.entry * readU32(checkpoint, 0)', '0', 'entries of a checkpoint are free'),
  buffers(
    'call-short-cellpack',
    'cellpack.length < TARGET_BYTES',
    'cellpack.length < NUMBER_BYTES',
    'a cellpack of one number is read as two',
  ),
  overlay(
    'taken-back-unread',
    'for (const key of this.#takenBack) if (!this.#kept.has(key) && !this.#spent.has(key)) this.#read(key);',
    '',
    'a key that only a static call or a failed message wrote is not read',
  ),
  overlay(
    'trial-unseen',
    'if (this.#below[i].has(key)) return this.#below[i];',
    'if (this.#below[i].size < 0) return this.#below[i];',
    'a static call does not see what its caller has written',
  ),
  tree(
    'call-fuel-with-children',
    'if (around !== undefined) around.below += used;',
    '',
    'the fuel of a frame in the receipt is that of all frames below too',
  ),
  balances(
    'call-asset-doubled',
    "if (!debit(view, from, entry)) return 'transfer beyond the balance';",
    '',
    'parcels are minted',
  ),
  host(
    'call-child-fuel-free',
    '    this.memory.fuelLeft = end.fuelLeft;\n',
    '',
    'a caller does not pay what the contract that it calls uses',
  ),
  host(
    'call-dry-run-hidden',
    '    this.askedDryRun ||= end.askedDryRun;\n',
    '',
    'a dry run counts as a run though a contract that was called asked which it was',
    { tests: ['test/execute/calls-and-kernel.test.ts'] },
  ),
  host(
    'return-data-kept',
    '    this.#returnData = EMPTY_BYTES;\n',
    '',
    'return data of one run are there in the next',
    { tests: ['test/lane/calls/frames.test.ts'] },
  ),
  instance('call-all-slots', 'slots: this.#stack.value as number', 'slots: 32_768', 'every frame has all slots'),
  instance('call-pages-uncounted', 'pages: pages - own', 'pages', 'the memory of a caller does not count'),
  instance(
    'call-grows-past-pages',
    'if (!hasAllPages(frame)) this.#pages.value = Math.min(frame.pages, this.#mostPages);',
    '',
    'memory.grow in a call knows no pages but its own',
  ),
  builtIns('built-in-free', 'CALL_FUEL.builtIn + ', '', 'a built-in costs its bytes alone'),
];
