/** `warpshrew deploy` and `warpshrew send`: signed transactions with messages, given to a node. */
import { scriptOfAddress } from '../bitcoin/address.js';
import type { Network } from '../chain/networks.js';
import { InputError, UsageError } from '../errors/errors.js';
import { prepareProgram } from '../program/prepare.js';
import { formatId } from '../protocol/alkane-id.js';
import { LANE_TARGET } from '../protocol/cellpack.js';
import { encodeCellpack, encodeRunestone } from '../protocol/encode.js';
import type { SheetEntry } from '../protocol/sheet.js';
import type { AlkaneId } from '../protocol/types.js';
import { toHex } from '../util/bytes.js';
import { sha256 } from '../util/sha256.js';
import { type BuildOptions, buildDeployment, buildMessage, MESSAGE_OUTPUTS } from '../wallet/build.js';
import { assertWouldSucceed, carryOut, type Fate, waitForReceipt } from '../wallet/carry-out.js';
import { type Funds, KeyFunds, NodeFunds } from '../wallet/funds.js';
import { readKey } from '../wallet/key.js';
import { type Plan, readPlan, writePlan } from '../wallet/plan-file.js';
import { WalletNode } from '../wallet/wallet-node.js';
import type { CommandResult } from './decode.js';
import type { Outpoint } from './encode.js';
import { readInputFile, readModuleFile } from './files.js';

export interface SendOptions {
  readonly nodeUrl: string;
  readonly nodeCookie?: string;
  /** `user:password`. */
  readonly auth?: string;
  readonly network?: Network;
  readonly yesMainnet?: boolean;
  /** File of a private key or descriptor. */
  readonly key?: string;
  /** A wallet of the node. */
  readonly wallet?: string;
  /** Satoshi per virtual byte, times 1,000. */
  readonly feeRate?: bigint;
  /** Address of the output that gets what the contract transfers. */
  readonly to?: string;
  readonly spend?: readonly Outpoint[];
  /** What the message is given of the assets on `spend`; all if not given. */
  readonly give?: readonly SheetEntry[];
  readonly dryRun?: boolean;
  readonly plan?: string;
  readonly mine?: boolean;
  /** A warpshrew server: what is sent is simulated there first. */
  readonly rpc?: string;
  readonly force?: boolean;
  /** Seconds to wait for the receipt. */
  readonly wait?: number;
  readonly json?: boolean;
}

export interface DeployOptions extends SendOptions {
  /** Creates 4:n, by 3:n, in place of 2:next. */
  readonly reserve?: bigint;
}

const MAX_KEY_FILE = 4096;
const KEY_VARIABLE = 'WARPSHREW_KEY';
/** Satoshi per 1,000 virtual bytes where blocks are not full. */
const TEST_RATE = 2_000n;

/**
 * Deploys a program: a commit and a reveal. Throws ProgramError for what the lane does not admit, and what
 * {@link sendCommand} throws.
 */
export async function deployCommand(
  path: string,
  inputs: readonly bigint[],
  options: DeployOptions,
): Promise<CommandResult> {
  const program = readModuleFile(path);
  prepareProgram(program);
  const target = options.reserve === undefined ? { block: 1n, tx: 0n } : { block: 3n, tx: options.reserve };
  const what = `deploy ${toHex(sha256(program))} ${words(target, inputs, options)}`;
  const plan = options.plan ?? `${path}.plan.json`;
  return perform(what, { ...options, plan: options.dryRun ? undefined : plan }, async (build) => {
    const { commit, reveal, revealSecret } = await buildDeployment(
      { ...build, runestone: runestoneOf(target, inputs) },
      program,
    );
    return { steps: [commit, reveal], revealSecret };
  });
}

/**
 * Sends a message to a contract in one transaction. Throws UsageError USAGE_WALLET, USAGE_KEY, USAGE_COIN,
 * USAGE_ADDRESS, USAGE_FEE_RATE, USAGE_MAINNET; EnvironmentError WALLET_*, SEND_*; InputError PLAN_*; NodeError;
 * ChainError CHAIN_WRONG_NETWORK.
 */
export async function sendCommand(
  target: AlkaneId,
  inputs: readonly bigint[],
  options: SendOptions,
): Promise<CommandResult> {
  const what = `send ${words(target, inputs, options)}`;
  return perform(what, options, async (build) => ({
    steps: [await buildMessage({ ...build, runestone: runestoneOf(target, inputs, options.give) })],
  }));
}

async function perform(
  what: string,
  options: SendOptions,
  build: (options: Omit<BuildOptions, 'runestone'>) => Promise<Pick<Plan, 'steps' | 'revealSecret'>>,
): Promise<CommandResult> {
  const { nodeUrl: url, nodeCookie: cookieFile, auth, network, yesMainnet, wallet, rpc, force, wait } = options;
  if (wait !== undefined && rpc === undefined) throw needsRpc();
  const node = await WalletNode.open({ url, cookieFile, ...login(auth), wallet, network, yesMainnet });
  try {
    const funds = await openFunds(node, options);
    let plan = options.plan === undefined ? undefined : planIn(options.plan, what, node.network);
    const resumed = plan !== undefined;
    if (plan === undefined) {
      const ready = await readyToBuild(node, funds, options);
      plan = { what, network: node.network, ...(await build(ready)), sent: false };
      if (rpc !== undefined && force !== true) await assertWouldSucceed(rpc, plan.steps[plan.steps.length - 1]);
      if (options.dryRun) return shown(plan, { dryRun: true }, options);
      if (options.plan !== undefined) writePlan(options.plan, plan);
    }
    const mineTo = options.mine ? funds.own : undefined;
    const done = await carryOut(plan, { node, path: options.plan, mineTo });
    const last = done.steps[done.steps.length - 1];
    const fate = rpc !== undefined && wait !== undefined ? await waitForReceipt(rpc, last.txid, wait) : undefined;
    return shown(done, { resumed, fate }, options);
  } finally {
    node.close();
  }
}

async function openFunds(node: WalletNode, { key, wallet }: SendOptions): Promise<Funds> {
  const text =
    key === undefined ? process.env[KEY_VARIABLE] : new TextDecoder().decode(readInputFile(key, MAX_KEY_FILE));
  if ((text === undefined) === (wallet === undefined)) {
    throw new UsageError('USAGE_WALLET', 'either a key or a wallet of the node signs', {
      hint: `Give --key FILE (or ${KEY_VARIABLE}), or --wallet NAME.`,
    });
  }
  return text === undefined ? NodeFunds.open(node) : new KeyFunds(node, readKey(text, node.network));
}

async function readyToBuild(
  node: WalletNode,
  funds: Funds,
  { to, spend = [], feeRate }: SendOptions,
): Promise<Omit<BuildOptions, 'runestone'>> {
  const script = to === undefined ? funds.own : scriptOfAddress(to, node.network);
  if (typeof script === 'string') {
    throw new UsageError('USAGE_ADDRESS', `the address of --to cannot be used: ${script}`, {
      facts: { to: to ?? '', network: node.network },
      hint: `Give an address of ${node.network}.`,
    });
  }
  const coins = [];
  for (const { txid, vout } of spend) coins.push(await funds.coin(txid, vout));
  return { node, funds, spend: coins, to: script, rate: feeRate ?? (await usualRate(node)) };
}

async function usualRate(node: WalletNode): Promise<bigint> {
  const rate = await node.feeRate();
  if (rate !== undefined) return rate;
  if (node.network === 'regtest' || node.network === 'signet') return TEST_RATE;
  throw new UsageError('USAGE_FEE_RATE', 'the node cannot tell which fee is usual', {
    facts: { network: node.network },
    hint: 'Give --fee-rate, in satoshi per virtual byte.',
  });
}

/** The plan to go on with. Throws InputError PLAN_OTHER, PLAN_DONE, PLAN_UNREADABLE. */
function planIn(path: string, what: string, network: string): Plan | undefined {
  const plan = readPlan(path);
  if (plan === undefined) return undefined;
  if (plan.what !== what || plan.network !== network) {
    throw new InputError('PLAN_OTHER', 'the plan file is that of another program, message or network', {
      facts: { path, plan: `${plan.what} on ${plan.network}`, wanted: `${what} on ${network}`, sent: plan.sent },
      hint: plan.sent
        ? 'All of it was sent: delete the file.'
        : 'Finish it with its own command, or name another with --plan.',
    });
  }
  if (!plan.sent) return plan;
  throw new InputError('PLAN_DONE', 'all that the plan file holds was sent', {
    facts: { path, txid: plan.steps[plan.steps.length - 1].txid },
    hint: 'Delete the file to do the same once more.',
  });
}

/** The message's protostone; before it, if only some of the assets are given, one that hands those out. */
function runestoneOf(target: AlkaneId, inputs: readonly bigint[], give?: readonly SheetEntry[]): Uint8Array {
  const message = encodeCellpack(LANE_TARGET, [target.block, target.tx, ...inputs]);
  const call = { pointer: 0, refund: 0, message };
  if (give === undefined) return encodeRunestone({ protostones: [call] });
  const edicts = give.map(({ id, amount }) => ({ id, amount, output: BigInt(MESSAGE_OUTPUTS + 2) }));
  return encodeRunestone({ protostones: [{ pointer: 0, edicts }, call] });
}

/** What tells one command from another. */
function words(target: AlkaneId, inputs: readonly bigint[], { to, spend = [], give = [] }: SendOptions): string {
  const coins = spend.map(({ txid, vout }) => `spend ${txid}:${vout}`);
  const given = give.map(({ id, amount }) => `give ${formatId(id)}:${amount}`);
  return [formatId(target), ...inputs, ...(to === undefined ? [] : [`to ${to}`]), ...coins, ...given].join(' ');
}

function login(auth: string | undefined): { readonly user?: string; readonly password?: string } {
  if (auth === undefined) return {};
  const at = auth.indexOf(':');
  if (at < 0) {
    throw new UsageError('USAGE_AUTH', 'the login of the node is not user:password', {
      hint: 'Give --auth USER:PASSWORD, or --node-cookie FILE.',
    });
  }
  return { user: auth.slice(0, at), password: auth.slice(at + 1) };
}

function needsRpc(): UsageError {
  return new UsageError('USAGE_WAIT', 'only an index can tell what became of a message', {
    hint: 'Give --rpc URL of a warpshrew server beside --wait.',
  });
}

interface How {
  readonly dryRun?: boolean;
  readonly resumed?: boolean;
  readonly fate?: Fate;
}

function shown(plan: Plan, { dryRun = false, resumed = false, fate }: How, { json }: SendOptions): CommandResult {
  const exitStatus = fate === undefined || fate.status === 'OK' ? 0 : 1;
  const { network, steps, sent } = plan;
  if (json) {
    const all = { network, sent, resumed, steps, ...(fate !== undefined && { fate }) };
    return { text: JSON.stringify(all), exitStatus };
  }
  const lines = steps.map(({ name, txid, vsize, fee }) => `${name.padEnd(8)} ${txid}  ${vsize} vB, fee ${fee} satoshi`);
  if (dryRun) {
    for (const { name, hex, psbt } of steps)
      lines.push('', `${name}, signed:`, hex, `${name}, to be signed (PSBT):`, psbt);
    lines.push('', 'Nothing was sent.');
  } else lines.push(`sent on ${network}${resumed ? ', as the plan file said' : ''}`);
  if (fate !== undefined) {
    const why = fate.error === null ? '' : `: ${fate.error}`;
    lines.push(`${fate.status}${why}  contract ${fate.target ?? 'none'}, fuel ${fate.fuel}`);
  }
  return { text: lines.join('\n'), exitStatus };
}
