import type { Command } from 'commander';
import { rollbackHeight } from './arguments.js';

type Finish = (result: { readonly text: string; readonly exitStatus: number }) => void;

/** Adds `db …` and `snapshot …`: commands over a database that no other process has open. */
export function addStoreCommands(program: Command, finish: Finish): void {
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
    .command('key')
    .description('make a key pair: FILE, and FILE.pub to give away')
    .requiredOption('--out <file>', 'file of the private key')
    .action(async (options) => finish(await (await import('./snapshot.js')).keyCommand(options)));
}
