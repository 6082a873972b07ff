import { Command, Option } from 'commander';
import { EnvironmentError, EXIT, WarpshrewError } from '../errors/errors.js';
import { maskUserInfo } from '../errors/mask.js';
import { TEMPLATES } from '../harness/new-project.js';
import { DEPENDENT_RULES, DRY_RUN_RULES, POLICIES } from '../lane/policy.js';
import type { AlkaneId } from '../protocol/types.js';
import { FUZZ_PROGRAMS } from '../selftest/fuzz/fuzz-programs.js';
import { AS_ROCKSHREW } from '../service/rockshrew.js';
import { PROGRAM_NAMES } from '../util/built-wasm.js';
import { onDeepThread } from '../util/deep-thread.js';
import { VERSION } from '../util/version.js';
import {
  alkaneId,
  assets,
  contractCall,
  height,
  oneOf,
  percent,
  port,
  seed,
  size,
  sizes,
  someOf,
  times,
  txid,
  u128,
  workers,
  workFilter,
} from './arguments.js';
import { endQuietly } from './closed-output.js';
import { addContractCommands } from './contract-commands.js';
import { addGpuCommands, addKernelFlags } from './gpu-commands.js';
import { addSettings, ROCKSHREW_COMMAND, withCommand } from './settings.js';
import { addProofCommands, addStoreCommands } from './store-commands.js';

/**
 * One line of `--help` per command; every action loads its own module, so that `decode` does not open RocksDB or a GPU.
 */
const program = new Command('warpshrew')
  .description('Two-phase Bitcoin metaprotocol indexer: dry run, conflict graph, WGSL batches, one atomic commit')
  .version(VERSION)
  .showHelpAfterError('(add --help for the options)')
  .configureOutput({ outputError: (text, write) => write(maskUserInfo(text)) })
  .exitOverride();

const policy = oneOf(POLICIES);
const dependent = oneOf(DEPENDENT_RULES);
const dryRun = oneOf(DRY_RUN_RULES);
const optionalIndex = oneOf(['none', 'addresses'] as const);
const collect = (text: string, before: string[]): string[] => [...before, text];

/** The output and exit status of a command. */
interface CommandResult {
  readonly text: string;
  readonly exitStatus: number;
}
function finish(result: CommandResult): void {
  if (result.text !== '') process.stdout.write(result.text.endsWith('\n') ? result.text : `${result.text}\n`);
  process.exitCode = result.exitStatus;
}
/**
 * What runs contracts does it on a thread of its own with a stack as deep as they may need, where this file runs once
 * more.
 */
async function finishDeep(run: () => Promise<CommandResult>, endsItself = false): Promise<void> {
  if (await onDeepThread(import.meta.url, endsItself)) finish(await run());
}

program
  .command('start')
  .description('replay the bundled chain on the CPU, serve JSON-RPC from it, and check it through the kernel meanwhile')
  .option('--host <host>', 'address to serve on', '127.0.0.1')
  .option('--port <port>', 'port to serve on', port, 8080)
  .option('--no-serve', 'replay both ways, compare the state roots and end')
  .action(async (options) => finish(await (await import('./start.js')).startCommand(options)));

program
  .command('decode')
  .description('decode a transaction, count the contents of a block, or check a file of wire vectors')
  .argument('[input]', 'transaction in hex, a file of a transaction or block (raw or hex), or - for standard input')
  .option('--json', 'print JSON')
  .option('--vectors <file>', 'check a file of wire vectors')
  .action(async (input: string | undefined, options) =>
    finish(await (await import('./decode.js')).decodeCommand(input, options)),
  );

addSettings(program.command('index'))
  .description('follow a chain, index it and serve JSON-RPC, until a signal ends it')
  .action(async (flags) => finish(await (await import('./index.js')).indexCommand(flags)));

// `warpshrew --daemon-rpc-url …`: the command line of rockshrew-mono, as it is.
addSettings(program.command(ROCKSHREW_COMMAND, { hidden: true }))
  .description('the same as `index`, with the meaning that rockshrew-mono gives to flags and variables')
  .action(async (flags) => finish(await (await import('./index.js')).indexCommand({ ...flags, [AS_ROCKSHREW]: true })));

const config = program.command('config').description('settings of `index`');
addSettings(config.command('check'))
  .description('show every setting, where it comes from, and what is wrong with it; exit status 2 if something is')
  .action(async (flags) => finish((await import('./config.js')).configCheckCommand(flags)));

addKernelFlags(program.command('replay'))
  .description('index blocks from a fixture chain, a folder or a file of raw blocks')
  .argument('<path>', 'fixture chain, folder of raw blocks, or raw block file')
  .option('--db <dir>', 'database folder', 'warpshrew.db')
  .option('--policy <policy>', 'sequential, cpu, gpu, balance or auto', policy, 'auto')
  .option('--dry-run <rule>', 'what runs in batches: tolerate-partial (default), clean-only or off', dryRun)
  .option('--indexer <file>', 'standard module: a Metashrew WASM module (default: the built-in indexer)')
  .option('--from <height>', 'first height', height)
  .option('--to <height>', 'last height', height)
  .option('--lane-start-block <height>', 'height from which (8,8) messages run', height)
  .option('--index <index>', 'optional index of outputs and transactions: none or addresses', optionalIndex)
  .option('--dependent <rule>', 'demote or reject messages that spend lane outputs of their own block', dependent)
  .option('--cross-check <percent>', "share of the kernel's results that the CPU recomputes (default: 2)", percent)
  .option('--workers <n>', 'dry-run and CPU workers', workers)
  .option('--roots <file>', 'write height and state root, one line per block')
  .option('--wait-for-kernels', 'with --policy gpu or balance: wait for the driver to compile, however long it takes')
  .option('--json', 'end with one line of JSON')
  .action(async (path: string, options) =>
    finishDeep(async () => (await import('./replay.js')).replayCommand(path, options)),
  );

program
  .command('replay-dump')
  .description('run a call again on which the kernel and the CPU disagreed, on both if there is a GPU, and compare')
  .argument('<file>', 'dump from the folder of a database: WARPSHREW-MISMATCH-*')
  .option('--no-gpu', 'on the CPU alone')
  .action(async (file: string, options) =>
    finishDeep(async () => (await import('./replay-dump.js')).replayDumpCommand(file, options)),
  );

program
  .command('dump')
  .description("write the parallel lane's state as JSON")
  .requiredOption('--db <dir>', 'database folder')
  .option('--height <height>', 'state after this height (default: tip)', height)
  .option('--receipts <file>', 'write the receipts up to that height as JSON lines')
  .action(async (options) => finish(await (await import('./dump.js')).dumpCommand(options)));

program
  .command('plan')
  .description("show a block's lane transactions, sets, conflicts and batches")
  .argument('<file>', 'raw block')
  .option('--db <dir>', 'database whose tip is the state before the block (default: an empty state)')
  .addOption(new Option('--json', 'print JSON').conflicts('dot'))
  .option('--dot', 'print the conflict graph for Graphviz')
  .option('--explain', 'say of each batch what auto would run it on, and why, by what it has learned beside --db')
  .action(async (file: string, options) =>
    finishDeep(async () => (await import('./plan.js')).planCommand(file, options)),
  );

program
  .command('run-module')
  .description('run any Metashrew module on raw blocks from an empty state')
  .argument('<module>', 'WASM file')
  .argument('<blocks...>', 'raw block files, in order')
  .option('--height <height>', 'height of the first block (default: from its coinbase)', height)
  .option('--view <name:hex>', 'run this view after the last block (repeatable)', collect, [])
  .option('--json', 'one line of JSON per block')
  .action(async (module: string, blocks: string[], options) =>
    finish(await (await import('./run-module.js')).runModuleCommand(module, blocks, options)),
  );

program
  .command('trace')
  .description('show what a mined transaction of the parallel lane did: calls, reads, writes, what it waited for')
  .argument('<txid>', 'transaction', txid)
  .option('--db <dir>', 'database folder')
  .option('--rpc <url>', 'a running server, instead of a database')
  .option('--steps', 'run it again, and show every host call and what it changed')
  .option('--debug', 'run it again, and go through its host calls one by one')
  .option('--blocks <path>', '--db and --steps: fixture chain, folder of raw blocks, or the raw block')
  .option('--json', 'print JSON')
  .action(async (id: string, options) => finish(await (await import('./trace.js')).traceCommand(id, options)));

addSettings(program.command('serve'))
  .description('answer JSON-RPC from a database, with the settings of `index` about serving')
  .option('--blocks <path>', 'fixture chain or folder of raw blocks, for traces with steps')
  .action(async (flags) => finish(await (await import('./serve.js')).serveCommand(flags)));

addSettings(program.command('follow-stream'))
  .description('build a replica from a stream that `index --publish` writes, and serve it, until a signal ends it')
  .argument('<url>', 'the stream: nats://[user:password@]host[:port][/name], or tls://…')
  .action(async (url: string, flags) =>
    finish(await (await import('./follow-stream.js')).followStreamCommand(url, flags)),
  );

program
  .command('call')
  .description("run a contract on the lane's state and keep nothing; exit status 1 if the message fails")
  .argument('<target>', 'contract (block:tx), or what creates one: 1:0, 3:n, 5:n, 6:n', alkaneId)
  .argument('[inputs...]', 'numbers behind the target, opcode first', (text, before: bigint[] = []) => [
    ...before,
    u128(text),
  ])
  .option('--db <dir>', 'database folder')
  .option('--rpc <url>', 'a running server, instead of a database')
  .option('--incoming <id:amount>', 'what the contract is given (repeatable), e.g. 2:1:500', assets)
  .option('--height <height>', 'state after this block (default: tip)', height)
  .option('--transaction <file>', 'transaction around the message, raw or as hex: its fuel, its envelope')
  .option('--json', 'print JSON, as warpshrew_simulate answers it')
  .action(async (target: AlkaneId, inputs: bigint[], options) =>
    finish(await (await import('./call.js')).callCommand(target, inputs, options)),
  );

program
  .command('new')
  .description('make a folder with a contract, its tests and all that they need')
  .argument('<name>', 'the folder')
  .option('--template <template>', `${TEMPLATES.join(', ')}`, oneOf(TEMPLATES), 'token')
  .option('--rust', 'the contract in Rust')
  .option('--package-spec <spec>', 'what its package.json says for warpshrew (default: this version)')
  .action(async (name: string, { template, rust = false, packageSpec }) =>
    finish((await import('./new.js')).newCommand(name, { template, rust, packageSpec })),
  );

program
  .command('compile')
  .description('compile a contract in AssemblyScript, with the one allocator that the SDK needs')
  .argument('<file>', 'the contract')
  .option('--out <file>', 'where its WASM is written (default: NAME.wasm here)')
  .action(async (file: string, options) => finish(await (await import('./compile.js')).compileCommand(file, options)));

program
  .command('inspect')
  .description('imports, exports, `__meta` and limits of a contract, and whether lane and kernel would take it')
  .argument('<file>', 'WASM')
  .option('--json', 'print JSON')
  .action(async (file: string, options) =>
    finishDeep(async () => (await import('./inspect.js')).inspectCommand(file, options)),
  );

program
  .command('conflicts')
  .description('which calls of a block can run together: keys by pattern, what makes calls wait, what the kernel takes')
  .argument('<file>', 'raw block')
  .option('--db <dir>', 'database whose tip is the state before the block (default: an empty state)')
  .option('--json', 'print JSON')
  .action(async (file: string, options) =>
    finishDeep(async () => (await import('./conflicts.js')).conflictsCommand(file, options)),
  );

program
  .command('test')
  .description('run the tests of a project of contracts one by one, in batches and in the kernel, and compare')
  .argument('[folder]', 'the project', '.')
  .option('--filter <text>', 'run the tests whose names contain it')
  .option('--fuzz <n>', 'calls of each fuzz test', times, 1000)
  .option('--seed <n>', 'seed of random values', seed, 1)
  .option('--jobs <n>', 'threads that run tests (default: one a core)', workers)
  .option(
    '--fuel <what>',
    'write: keep the fuel of all tests in fuel.txt; check: fail where it is another',
    oneOf(['write', 'check'] as const),
  )
  .option('--no-kernel', 'leave the kernel out')
  .option('--conflicts', 'report which calls of each fuzz test can run together')
  .option('--coverage', 'count which lines of the contracts run, on the sequential executor alone')
  .option('--watch', 'run again after each change')
  .action(async (folder: string, options) =>
    finishDeep(async () => (await import('./test.js')).testCommand(folder, options)),
  );

program
  .command('fuzz')
  .description('run random lane blocks under every policy, compare them and check what every block must keep')
  .option('--seed <n>', 'seed of the first block', seed, 1)
  .option('--blocks <n>', 'number of blocks', times, 1000)
  .option('--gpu', 'compare the kernel, too, and fail without a GPU (default: if there is one)')
  .option('--no-gpu', 'compare sequential and cpu only')
  .option(
    '--programs <list>',
    'programs that the blocks deploy and call, comma-separated; all if not given',
    someOf(FUZZ_PROGRAMS),
  )
  .action(async (options) => finishDeep(async () => (await import('./fuzz.js')).fuzzCommand(options)));

program
  .command('fuzz-kernel')
  .description('run random WASM modules in the kernel and on V8 and compare every run; exit status 1 if one differs')
  .option('--seed <n>', 'seed of the modules', seed, 1)
  .option('--modules <n>', 'number of modules', times, 100)
  .option('--runs <n>', 'runs of each module', times, 1000)
  .option('--only <n>', 'run this module of the seed alone', seed)
  .option('--json', 'print JSON')
  .action(async (options) => finishDeep(async () => (await import('./fuzz-kernel.js')).fuzzKernelCommand(options)));

addKernelFlags(program.command('bench'))
  .description(
    'measure the kernel against V8, from which size on it wins, a load of blocks, whole blocks or contended calls by ' +
      'policy, units of fuel, or contracts against V8 alone; exit status 1 if a result differs or takes too long',
  )
  .argument('<what>', 'gpu, threshold, load, blocks, contention, fuel or contracts')
  .argument('[files...]', 'contracts: WASM files; they are 2:1, 2:2, …; threshold --compare: two reports')
  .option(
    '--sizes <list>',
    'messages per batch or block, comma-separated (default: gpu 100 to 100000, threshold 16 to 16384, blocks 100 to ' +
      '5000, contention and load 1000)',
    sizes,
  )
  .option('--only <list>', 'programs (gpu, threshold), workloads (blocks) or parts of names (fuel), comma-separated')
  .option('--rounds <n>', 'measurements (default: 5, threshold 15, blocks and contention 7, contracts 2000)', times)
  .option('--starts <n>', 'blocks, contention: engines of auto that begin knowing nothing (default: 3)', times)
  .option(
    '--policies <list>',
    'policies to measure, or to compare with sequential, comma-separated',
    someOf(POLICIES),
    ['cpu', 'auto', 'gpu', 'balance'],
  )
  .option('--workers <n>', 'blocks, contention, load: dry-run and CPU workers', workers)
  .option('--kernel', 'fuel: also in the kernel')
  .option('--setup <message>', 'contracts: [FILE/]OPCODE[,INPUT…] that runs before; can be repeated', contractCall)
  .option('--call <message>', 'contracts: what to call, likewise (default: what `__meta` names)', contractCall)
  .option('--block <n>', 'contracts: also a block of so many of the first call, under every policy', size)
  .option('--mix <list>', 'load: workloads and their shares (default: mixed=80,claim=10,names=5,heavy=5)')
  .option('--rate <n>', 'load: lane transactions per second that come (default: as many as go)', times)
  .option('--blocks <n>', 'load: blocks that are measured (default: 30)', size)
  .option('--out <folder>', 'where the report goes as JSON; of threshold also as CSV and a page with charts')
  .option('--with-blocks', 'threshold: also whole blocks of these messages, under every policy')
  .option('--compare', 'threshold: draw two reports side by side, and measure nothing')
  .option('--json', 'print JSON')
  .action(async (what: string, files: string[], options) =>
    finishDeep(async () => (await import('./bench.js')).benchCommand(what, files, options)),
  );

program
  .command('gpu-info')
  .description('name the adapter the kernel would run on; exit status 5 if there is none')
  .addOption(new Option('--here').hideHelp())
  .action(async ({ here }) => finish(await (await import('./gpu-info.js')).gpuInfoCommand(here === true)));

program
  .command('software-gpu')
  .description('run a command with the bundled software GPU driver in the place of a GPU')
  .argument('<command...>', 'the command and its arguments; `--` before them')
  .action(async (command: string[]) => finish(await (await import('./software-gpu.js')).softwareGpuCommand(command)));

addSettings(program.command('doctor'))
  .description('look at all that indexing needs on this machine, with these settings; exit status 1 if something fails')
  .option('--json', 'print one JSON object')
  .action(async (flags) => finish(await (await import('./doctor.js')).doctorCommand(flags)));

addSettings(program.command('verify'))
  .description('run stored blocks once more, each on the state before it; exit status 1 if one left something else')
  .option('--from <height>', 'first block (default: the lowest whose state before is kept)', height)
  .option('--to <height>', 'last block (default: the tip)', height)
  .option('--work-filter <divisor:remainder>', 'only heights that leave the remainder: a share of the work', workFilter)
  .option('--json', 'print one JSON object')
  .action(async (flags) => finishDeep(async () => (await import('./verify.js')).verifyCommand(flags)));

// What `doctor` runs in a process of its own.
program
  .command('probe-gpu', { hidden: true })
  .action(async () => finishDeep(async () => (await import('./probe-gpu.js')).probeGpuCommand()));

// What `start` runs in a process of its own.
program
  .command('verify-kernel', { hidden: true })
  .requiredOption('--db <dir>', 'database folder')
  .requiredOption('--programs <list>', 'programs that run in the kernel', someOf(PROGRAM_NAMES))
  .option('--others', 'programs that are not bundled run in the kernel, too')
  .action(async (options) => finishDeep(async () => (await import('./verify-kernel.js')).verifyKernelCommand(options)));

addContractCommands(program, finish, finishDeep);
addGpuCommands(program, finish);
addStoreCommands(program, finish);
addProofCommands(program, finish);
endQuietly(program);

try {
  // Everything that is packed into words lies in memory as it goes to the device and to WASM.
  if (new Uint8Array(Uint32Array.of(1).buffer)[0] !== 1) {
    throw new EnvironmentError('ENV_BIG_ENDIAN', 'this processor stores numbers with the high byte first');
  }
  await program.parseAsync(withCommand(process.argv));
} catch (error) {
  process.exitCode = report(error);
}

/** Prints an error the way docs/errors.md describes and gives the exit status. */
function report(error: unknown): number {
  if (error instanceof WarpshrewError) {
    process.stderr.write(`${error.explain()}\n`);
    return error.exitStatus;
  }
  if (
    error instanceof Error &&
    'code' in error &&
    typeof error.code === 'string' &&
    error.code.startsWith('commander.')
  ) {
    const fine =
      error.code === 'commander.helpDisplayed' || error.code === 'commander.version' || error.code === 'commander.help';
    return fine ? 0 : EXIT.usage;
  }
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  process.stderr.write(`INTERNAL: ${maskUserInfo(text)}\n`);
  return EXIT.internal;
}
