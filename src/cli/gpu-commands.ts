import type { Command } from 'commander';
import { size } from './arguments.js';

type Finish = (result: { readonly text: string; readonly exitStatus: number }) => void;

/** Adds `gpu-server`. */
export function addGpuCommands(program: Command, finish: Finish): void {
  program
    .command('gpu-server')
    .description('serve batches of hashes and signatures from the GPU of this machine, until a signal ends it')
    .requiredOption('--listen <address>', 'unix:PATH, or tcp:HOST:PORT with a token')
    .option('--token-file <file>', 'what clients must know: 16 to 256 bytes')
    .option('--jobs <number>', 'jobs at a time; others wait', size, 2)
    .option('--memory <mib>', 'most memory for what clients send', size, 512)
    .action(async (options) => finish(await (await import('./gpu-server.js')).gpuServerCommand(options)));
}
