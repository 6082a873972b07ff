/** The node that blocks come from: its answers, its notifications, its clock. */
import { REAL_CLOCK } from '../chain/clock.js';
import { NodeRpc } from '../chain/node-rpc.js';
import { type NodeInfo, NodeSource } from '../chain/node-source.js';
import { ZmqNotifier } from '../chain/zmq.js';
import { failureOf } from '../errors/errors.js';
import { nodeOptions } from '../service/open-source.js';
import type { Settings } from '../service/options.js';
import { toDisplayHash } from '../util/bytes.js';
import { messageOf } from './cause.js';
import { type Finding, Findings } from './finding.js';

/** Nodes refuse blocks that are more than two hours in the future: an older clock of ours is wrong, or theirs. */
const MOST_AHEAD_S = 2 * 60 * 60;
const TIMEOUT_MS = 10_000;
const ZMQ_MS = 5_000;
const ZMQ_STEP_MS = 50;

export interface NodeCheck {
  readonly settings: Settings;
  readonly flags: Readonly<Record<string, unknown>>;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

export async function examineNode({ settings, flags, now }: NodeCheck): Promise<readonly Finding[]> {
  const findings = new Findings('node');
  const options = nodeOptions(settings, flags);
  if (options === undefined) {
    findings.skipped('JSON-RPC', 'the settings name no node (--node-url)');
    return findings.list;
  }
  const rpc = new NodeRpc({ ...options, attempts: 1, timeoutMs: TIMEOUT_MS });
  const node = new NodeSource(rpc);
  try {
    const info = await node.info();
    tellInfo(findings, rpc.name, info, settings);
    await examineClock(findings, rpc, info, now);
  } catch (error) {
    const { hint } = failureOf(error);
    const todo = hint ?? 'Start the node with server=1, and give its address and credentials (--node-url, --auth).';
    findings.failure('JSON-RPC', `${rpc.name}: ${messageOf(error)}`, todo);
  } finally {
    await node.close();
  }
  await examineZmq(findings, settings.zmq);
  return findings.list;
}

function tellInfo(
  findings: Findings,
  name: string,
  info: NodeInfo,
  { network, startBlock, blocksDir }: Settings,
): void {
  if (info.network === network) findings.ok('JSON-RPC', `${name}: ${info.network}, tip ${info.tip.height}`);
  else {
    const todo = `Give --network ${info.network}, or the address of a node of ${network}.`;
    findings.failure('JSON-RPC', `${name} serves ${info.network}; the settings say ${network}`, todo);
  }
  if (info.initialBlockDownload) {
    const found = `it is still loading the chain: ${info.tip.height} of ${info.headers} blocks`;
    findings.warning('chain', found, 'Nothing: the index follows it. Until it is done, the newest blocks are missing.');
  } else findings.ok('chain', 'the node has all of it');
  if (info.pruneHeight === undefined || info.pruneHeight <= startBlock) return;
  const found = `it has deleted the blocks below ${info.pruneHeight}`;
  const from = blocksDir === undefined ? '' : ', and so have its block files';
  const todo = `A new index begins at ${startBlock} (--start-block): use a node that keeps all blocks, or a snapshot.`;
  findings.warning('pruning', `${found}${from}`, todo);
}

/** The time of the tip by the node, against this machine's clock. */
async function examineClock(findings: Findings, rpc: NodeRpc, info: NodeInfo, now: () => number): Promise<void> {
  const header = await rpc.call('getblockheader', [toDisplayHash(info.tip.hash)]).catch(() => undefined);
  const time = typeof header === 'object' && header !== null && 'time' in header ? header.time : undefined;
  if (typeof time !== 'number') {
    findings.skipped('clock', 'the node does not tell the time of its newest block');
    return;
  }
  const behind = time - Math.floor(now() / 1_000);
  if (behind <= MOST_AHEAD_S) findings.ok('clock', 'it agrees with the newest block');
  else {
    const found = `the newest block is ${Math.round(behind / 60)} minutes ahead of this machine's clock`;
    findings.warning('clock', found, 'Set it (timedatectl set-ntp true): logs and rates are wrong otherwise.');
  }
}

async function examineZmq(findings: Findings, zmq: string | undefined): Promise<void> {
  if (zmq === undefined) {
    findings.skipped('ZMQ', 'the settings name no endpoint (--zmq): new blocks are found by polling');
    return;
  }
  const notifier = new ZmqNotifier({ endpoints: zmq.split(','), handshakeMs: ZMQ_MS });
  try {
    const began = REAL_CLOCK.now();
    const isDone = (): boolean => notifier.statistics.every(({ connected, failures }) => connected || failures > 0);
    while (!isDone() && REAL_CLOCK.now() - began < ZMQ_MS) await REAL_CLOCK.sleep(ZMQ_STEP_MS);
    for (const { endpoint, connected } of notifier.statistics) {
      if (connected) findings.ok('ZMQ', `${endpoint} answers`);
      else {
        const todo =
          'Give the node zmqpubhashblock (or zmqpubsequence) with this address. Until then blocks are polled for.';
        findings.failure('ZMQ', `${endpoint} does not answer`, todo);
      }
    }
  } finally {
    await notifier.close();
  }
}
