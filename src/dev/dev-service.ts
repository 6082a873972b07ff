/** `warpshrew dev`: a chain, its node, its index and its explorer in one process. */
import { Transaction as Decoded } from 'bitcoinjs-lib';
import { parseTransaction } from '../bitcoin/parse-transaction.js';
import type { Transaction } from '../bitcoin/types.js';
import { prepareProgram } from '../program/prepare.js';
import { LANE_TARGET } from '../protocol/cellpack.js';
import { encodeCellpack, encodeEnvelope, encodeRunestone, gzipBest } from '../protocol/encode.js';
import { type RpcServer, startRpcServer } from '../rpc/server.js';
import { explorerFiles } from '../service/explorer-files.js';
import { servePages } from '../service/serve-pages.js';
import { ServiceState } from '../service/service-state.js';
import { concatBytes, toDisplayHash } from '../util/bytes.js';
import { buildDeployment } from '../wallet/build.js';
import { carryOut } from '../wallet/carry-out.js';
import { KeyFunds } from '../wallet/funds.js';
import { WalletNode } from '../wallet/wallet-node.js';
import { type DevBlock, DevChain } from './dev-chain.js';
import { DevIndex } from './dev-index.js';
import { DevWallet } from './dev-wallet.js';
import type { DevNode } from './node-methods.js';
import { type NodeServer, startNodeServer } from './node-server.js';
import { Origin } from './origin.js';

export interface DevOptions {
  readonly host: string;
  /** Of JSON-RPC and explorer; 0: any. */
  readonly port: number;
  readonly nodePort: number;
  /** A transaction waits until a block is asked for. */
  readonly wait?: boolean;
  readonly fork?: { readonly url: string; readonly height: number | undefined };
  readonly explorer?: boolean;
  readonly now?: () => number;
}

/** A key, OP_CHECKSIG: what stands before the envelope in a leaf. */
const LEAF_HEAD = 34;
/** Blocks whose rewards the wallet has at first. */
const FIRST_BLOCKS = 10;
const RATE = 1_000n;
/** This thread answers simulations itself, one after the other. */
const ALONE = { threads: 1, running: 0, waiting: 0, refused: 0, interrupted: 0 } as const;

export class DevService {
  private constructor(
    readonly node: DevNode,
    readonly index: DevIndex,
    readonly nodeServer: NodeServer,
    readonly server: RpcServer,
  ) {}

  /** Throws EnvironmentError ENV_RPC_FAILED (of `fork`), ENV_PORT_*, ENV_LISTEN_FAILED, ENV_NO_EXPLORER. */
  static async start({ host, port, nodePort, wait, fork, explorer = true, now }: DevOptions): Promise<DevService> {
    const undo: (() => Promise<void>)[] = [];
    try {
      const origin = fork && (await Origin.open(fork.url, fork.height));
      const chain = new DevChain({ base: origin?.base, now });
      const wallet = new DevWallet(chain);
      const index = await DevIndex.open(chain, origin);
      undo.push(() => index.close());
      const node: DevNode = { chain, wallet, instant: wait !== true, changed: () => index.follow() };
      for (let blocks = 0; blocks < FIRST_BLOCKS; blocks++) chain.mine(wallet.lock.script);
      await index.follow();
      const nodeServer = await startNodeServer(node, host, nodePort);
      undo.push(() => nodeServer.close());
      const { backend, bell } = index;
      const files = explorer ? explorerFiles() : undefined;
      const pages = servePages({
        ...{ state: new ServiceState(), store: backend.store, settings: { db: index.folder, label: undefined } },
        ...{ viewLoad: () => index.standard?.viewLoad, laneViewLoad: () => ALONE },
      });
      const server = await startRpcServer({ host, port, backend, bell, files, pages });
      return new DevService(node, index, nodeServer, server);
    } catch (error) {
      for (const close of undo.reverse()) await close();
      throw error;
    }
  }

  /**
   * Deploys a program. Gives what a later {@link replace} names it by: the txid that revealed it. Throws ProgramError.
   */
  async deploy(program: Uint8Array, inputs: readonly bigint[]): Promise<string> {
    prepareProgram(program);
    const { wallet } = this.node;
    const node = await WalletNode.open({ url: this.nodeServer.url });
    try {
      const message = encodeCellpack(LANE_TARGET, [1n, 0n, ...inputs]);
      const runestone = encodeRunestone({ protostones: [{ pointer: 0, refund: 0, message }] });
      const funds = new KeyFunds(node, wallet.lock);
      const to = wallet.lock.script;
      const { commit, reveal } = await buildDeployment({ node, funds, spend: [], to, runestone, rate: RATE }, program);
      const mineTo = this.node.instant ? undefined : to;
      await carryOut(
        { what: '', network: 'regtest', sent: false, steps: [commit, reveal] },
        { node, path: undefined, mineTo },
      );
      return reveal.txid;
    } finally {
      node.close();
    }
  }

  /**
   * Puts another program into the transaction that deployed one, and runs all blocks since then again, as if it had
   * always been so: no txid changes, as programs lie in witnesses. Throws ProgramError; nothing has changed then.
   */
  async replace(txid: string, program: Uint8Array): Promise<void> {
    prepareProgram(program);
    const { chain, wallet } = this.node;
    const found = chain.transaction(txid);
    if (found?.height === undefined) return;
    const undone: DevBlock[] = [];
    while (chain.height >= found.height) undone.unshift(chain.undo(false));
    chain.again(undone, wallet.lock.script, (each) =>
      toDisplayHash(each.txid) === txid ? withProgram(each, program) : each,
    );
    await this.index.follow();
  }

  async close(): Promise<void> {
    await this.server.close();
    await this.nodeServer.close();
    await this.index.close();
  }
}

function withProgram({ raw }: Transaction, program: Uint8Array): Transaction {
  const decoded = Decoded.fromBuffer(raw);
  const [signature, leaf, control] = decoded.ins[0].witness;
  const head = new Uint8Array(leaf.subarray(0, LEAF_HEAD));
  decoded.setWitness(0, [signature, concatBytes(head, encodeEnvelope(gzipBest(program))), control]);
  return parseTransaction(new Uint8Array(decoded.toBuffer()));
}
