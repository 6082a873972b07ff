import { fileURLToPath } from 'node:url';
import { shipped } from './shipped.js';

/**
 * Folder of the regtest chain that comes with the program (fixtures/README.md): what `replay` and `index --fixture`
 * take.
 */
export function bundledChain(): string {
  return fileURLToPath(shipped('chains/regtest'));
}
