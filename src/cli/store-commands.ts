import type { Command } from 'commander';
import { FORMATS } from '../export/formats.js';
import { height, hexBytes, oneOf, rollbackHeight, root, size } from './arguments.js';

type Finish = (result: { readonly text: string; readonly exitStatus: number }) => void;

const namespace = oneOf(['S', 'P']);

/** Adds `digest`, `db …`, `diff`, `export`, `sink` and `snapshot …`: commands over a database. */
export function addStoreCommands(program: Command, finish: Finish): void {
  program
    .command('digest')
    .description('print one hash of the keys and values after a block: two hosts with the same hold the same')
    .option('--db <dir>', 'database folder')
    .option('--rows <file>', 'rows of a rockshrew-mono database, as `ldb scan --hex` prints them; - for standard input')
    .option('--height <height>', 'state after this block (default: the newest)', height)
    .option('--namespace <namespace>', 'S (standard module) or P (parallel lane)', namespace, 'S')
    .option('--prefix <hex>', 'only keys that begin with it', hexBytes, new Uint8Array(0))
    .option('--label <name>', '--rows: the label of that host')
    .option('--json', 'print JSON')
    .action(async (options) => finish(await (await import('./digest.js')).digestCommand(options)));
  const db = program.command('db').description('verify a database or roll it back');
  db.command('check')
    .description('verify every row of a database and both roots; exit status 1 if something is wrong')
    .requiredOption('--db <dir>', 'database folder')
    .option('--json', 'one JSON object per line')
    .action(async (options) => finish(await (await import('./db.js')).checkCommand(options)));
  db.command('rollback')
    .description('undo blocks from the tip down')
    .requiredOption('--db <dir>', 'database folder')
    .requiredOption('--to <height>', 'height that becomes the tip', rollbackHeight)
    .option('--yes', 'do not ask')
    .action(async (options) => finish(await (await import('./db.js')).rollbackCommand(options)));

  program
    .command('diff')
    .description('find the first height and key in which two indexes differ; exit status 1 if they do')
    .argument('<a>', 'database folder, or address of a running server')
    .argument('<b>', 'the other')
    .option('--from <height>', 'first height to compare (default: the first that both have)', height)
    .option('--to <height>', 'last height to compare (default: the last that both have)', height)
    .option('--json', 'print JSON')
    .action(async (a: string, b: string, options) =>
      finish(await (await import('./diff.js')).diffCommand(a, b, options)),
    );

  program
    .command('reindex')
    .description('make a database for a changed module with the history that it shares, to be indexed on from a block')
    .requiredOption('--db <dir>', 'database of the earlier module, which stays as it is')
    .requiredOption('--into <dir>', 'folder of the new database')
    .requiredOption('--indexer <file>', 'changed module, which names the earlier one')
    .requiredOption('--from <height>', 'first block to index again', height)
    .action(async (options) => finish(await (await import('./reindex.js')).reindexCommand(options)));

  program
    .command('export')
    .description('write blocks, receipts, changes of the state and transfers into files; goes on where it ended before')
    .requiredOption('--db <dir>', 'database folder; `index` may be running over it')
    .requiredOption('--to <dir>', 'folder for the files')
    .option('--format <format>', 'parquet, jsonl or csv (default: that of the folder, or parquet)', oneOf(FORMATS))
    .option('--from <height>', 'first height (default: that of the folder, or the first of the database)', height)
    .option('--until <height>', 'last height (default: the newest)', height)
    .option('--blocks-per-file <n>', 'blocks of a file, at most (default: as in the folder, or 1000)', size)
    .option('--json', 'print JSON')
    .action(async (options) => finish(await (await import('./export.js')).exportCommand(options)));

  program
    .command('sink')
    .description('bring the tables in a PostgreSQL database to the newest block, once; `index --sink` keeps them there')
    .argument('<database>', 'postgres://user@host/database; the password is taken from PGPASSWORD, too')
    .requiredOption('--db <dir>', 'database folder; `index` may be running over it')
    .option('--schema <name>', 'schema of the tables (default: warpshrew)')
    .option('--json', 'print JSON')
    .action(async (url: string, options) => finish(await (await import('./sink.js')).sinkCommand(url, options)));

  const snapshot = program.command('snapshot').description('put a database into one file and back');
  snapshot
    .command('create')
    .description('write a database into one file')
    .requiredOption('--db <dir>', 'database folder')
    .requiredOption('--out <file>', 'file to write')
    .option('--key <file>', 'private key to sign it with')
    .action(async (options) => finish(await (await import('./snapshot.js')).createCommand(options)));
  snapshot
    .command('restore')
    .description('make a database from a snapshot, verifying all of it')
    .requiredOption('--from <file>', 'snapshot')
    .requiredOption('--db <dir>', 'folder to make')
    .option('--public-key <file>', 'refuse a snapshot that this key did not sign')
    .action(async (options) => finish(await (await import('./snapshot.js')).restoreCommand(options)));
  snapshot
    .command('fetch')
    .description('get a snapshot from a folder or server, verifying it; goes on where an earlier fetch ended')
    .argument('<from>', 'path or address of a snapshot, or of a folder with index.json: its newest one')
    .requiredOption('--out <file>', 'file to write; FILE.part until it is complete')
    .option('--public-key <file>', 'refuse a snapshot that this key did not sign')
    .option('--state-root <hex>', 'refuse a snapshot of another state', root)
    .option('--height <height>', 'of a folder: that of this height', height)
    .option('--db <dir>', 'restore it into this new folder, too, verifying its state')
    .action(async (from: string, options) =>
      finish(await (await import('./fetch-snapshot.js')).fetchCommand(from, options)),
    );
  snapshot
    .command('key')
    .description('make a key pair: FILE, and FILE.pub to give away')
    .requiredOption('--out <file>', 'file of the private key')
    .action(async (options) => finish(await (await import('./snapshot.js')).keyCommand(options)));
}

/** Adds `proof …`. */
export function addProofCommands(program: Command, finish: Finish): void {
  const proof = program.command('proof').description('prove what the state holds, and verify such proofs');
  proof
    .command('get')
    .description('write the proof that a key has its value, or is absent')
    .option('--db <dir>', 'database folder')
    .option('--rpc <url>', 'a running server, instead of a database')
    .requiredOption('--namespace <namespace>', 'S (standard module) or P (parallel lane)', namespace)
    .requiredOption('--key <hex>', 'key', hexBytes)
    .option('--height <height>', 'state after this block (default: tip)', height)
    .option('--out <file>', 'write the binary form to this file (default: JSON to stdout)')
    .action(async (options) => finish(await (await import('./proof.js')).getProofCommand(options)));
  proof
    .command('verify')
    .description('verify a proof offline; exit status 1 if it does not show what it says')
    .argument('<file>', 'proof, in its binary form or as JSON')
    .option('--root <hex>', 'the root that you trust: of the namespace, or of the whole state', root)
    .option('--height <height>', 'height that the proof must be of', height)
    .option('--namespace <namespace>', 'namespace that it must be of', namespace)
    .option('--key <hex>', 'key that it must be of', hexBytes)
    .option('--json', 'print JSON')
    .action(async (file: string, options) => finish((await import('./proof.js')).verifyProofCommand(file, options)));
}
