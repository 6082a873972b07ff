import type { Command } from 'commander';

/** Commands that do something beside printing: they go on when nobody reads what they print any more. */
const GOING_ON: ReadonlySet<string> = new Set([
  'start',
  'index',
  'serve',
  'replay',
  'fixtures',
  'rollback',
  'create',
  'restore',
  'key',
]);

/**
 * Ends a command that only prints as soon as its reader has ended, as in `dump | head`: with the status it has by
 * then, and without a word. What stays to be said on a closed stderr is left out.
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
