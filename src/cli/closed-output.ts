import type { Command } from 'commander';

/** Commands that do more than print: they continue after the reader of their output has ended. */
const GOING_ON: ReadonlySet<string> = new Set([
  'start',
  'index',
  'serve',
  'follow-stream',
  'replay',
  'fixtures',
  'rollback',
  'create',
  'restore',
  'fetch',
  'reindex',
  'key',
]);

/**
 * Ends a command that only prints as soon as its reader has ended, as in `dump | head`: silently, with its current
 * exit status. Output to a closed stderr is dropped.
 */
export function endQuietly(program: Command): void {
  let goesOn = false;
  program.hook('preAction', (_, action) => {
    goesOn = GOING_ON.has(action.name());
  });
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
    if (!goesOn) process.exit();
  });
  process.stderr.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}
