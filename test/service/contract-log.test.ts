import { expect, onTestFinished, test, vi } from 'vitest';
import { IN_TURN, makeReceipt } from '../../src/lane/receipt.js';
import { ReceiptList } from '../../src/lane/receipt-list.js';
import { type ContractLine, ContractLog } from '../../src/service/contract-log.js';
import { createLogger } from '../../src/service/log.js';
import { Reporter } from '../../src/service/reporter.js';
import { ServiceState } from '../../src/service/service-state.js';
import { ACTOR, makeCall } from '../lane/calls/actor.js';
import { place } from '../lane/calls/by-hand.js';
import { abortsWith, logging, says } from '../lane/saying.js';
import { call, makeTx, World } from '../lane/world.js';

function blockThatSays() {
  const world = new World();
  const a = world.deploy(ACTOR);
  place(world, '2:8', says(['one', 'bad \u001b[31m']));
  place(world, '2:9', abortsWith({ logs: ['inner'], message: 'broke' }));
  place(world, '2:7', logging(70, 3));
  const message = (bytes: Uint8Array) => makeTx({ protostones: [{ pointer: 0, refund: 0, message: bytes }] });
  const transactions = [
    message(call('2:8', 0)),
    message(call(a, 0)),
    message(call(a, ...makeCall('call', '2:8', []), ...makeCall('call', '2:9', []))),
    message(call('2:7', 0)),
  ];
  const receipts = world.run(...transactions).map((outcome) => makeReceipt(9, outcome, IN_TURN));
  const txids = transactions.map((tx) => world.txid(tx));
  return { receipts, txids };
}

test('each text of a block becomes a line with the contract that said it, so many a second; all are counted', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const { receipts, txids } = blockThatSays();
  const lines: ContractLine[] = [];
  const log = new ContractLog(
    6,
    (line) => lines.push(line),
    () => 0,
  );
  const list = new ReceiptList();
  for (const receipt of receipts) list.add(receipt);
  log.block(list);
  const [first, , third] = txids;
  expect(lines.splice(0).map(({ said }) => said && { ...said, height: undefined })).toEqual([
    { txid: first, contract: '2:8', kind: 'log', text: 'one' },
    { txid: first, contract: '2:8', kind: 'log', text: 'bad \u001b[31m' },
    { txid: third, contract: '2:8', kind: 'log', text: 'one' },
    { txid: third, contract: '2:8', kind: 'log', text: 'bad \u001b[31m' },
    { txid: third, contract: '2:9', kind: 'log', text: 'inner' },
    { txid: third, contract: '2:9', kind: 'abort', text: 'broke' },
  ]);
  vi.advanceTimersByTime(1_000);
  expect(lines).toEqual([{ said: undefined, leftOut: 70 }]);
  const again: ContractLine[] = [];
  new ContractLog(1_000, (line) => again.push(line)).block(receipts);
  expect(again.length).toBe(6 + 64);
});

test('lines are logged at info, no control character reaches a terminal, and what is left out is counted', () => {
  const lines: string[] = [];
  const state = new ServiceState();
  const log = createLogger({ level: 'info', format: 'pretty', label: undefined, write: (line) => lines.push(line) });
  const reporter = new Reporter(log, state);
  const said = { height: 9, txid: 'ab', contract: '2:8', kind: 'log', text: 'bad \u001b[31m\u009b2J\u202e' } as const;
  for (const line of [
    { said, leftOut: 0 },
    { said: undefined, leftOut: 5 },
  ]) {
    const event = { kind: 'contract-log', line } as const;
    state.apply(event);
    reporter.hear(event);
  }
  expect(lines[0]).toMatch(
    /info {2}contract height=9 txid=ab contract=2:8 kind=log text="bad \\u001b\[31m\\u\{9b\}2J\\u\{202e\}"\n$/,
  );
  expect(lines[1]).toContain('texts of contracts were left out textsLeftOut=5');
  expect(state.contractTextsLeftOut).toBe(5);
});
