import type { Command } from 'commander';
import { PRIORITIES } from '../tasks/server/messages.js';
import { oneOf, size, times } from './arguments.js';

type Finish = (result: { readonly text: string; readonly exitStatus: number }) => void;

/** Gives a command that uses the kernel the flags that say where it comes from. */
export function addKernelFlags(command: Command): Command {
  return command
    .option('--gpu-server <address>', 'use the GPU of a gpu-server: unix:PATH or tcp:HOST:PORT')
    .option('--gpu-token-file <file>', 'what that server wants to know')
    .option('--gpu-priority <which>', 'which of its jobs it does first: tip, sync, bench', oneOf(PRIORITIES))
    .option('--gpu-timeout <ms>', 'longest wait for a batch of that server', times);
}

/** Adds `gpu-server`. */
export function addGpuCommands(program: Command, finish: Finish): void {
  program
    .command('gpu-server')
    .description('serve the GPU of this machine to indexers and programs of others, until a signal ends it')
    .requiredOption('--listen <address>', 'unix:PATH, or tcp:HOST:PORT with a token')
    .option('--token-file <file>', 'what clients must know: 16 to 256 bytes')
    .option('--jobs <number>', 'jobs at a time; others wait', size, 2)
    .option('--memory <mib>', 'most memory for what clients send', size, 512)
    .option('--no-gpu', 'do batch tasks on the cores of this machine, and refuse calls of contracts')
    .action(async (options) => finish(await (await import('./gpu-server.js')).gpuServerCommand(options)));
}
