/** Chains on which policies once ended with different roots, or ended the process. */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { openGpuExecutor } from '../../src/gpu/gpu-executor.js';
import { replay } from '../../src/replay/replay.js';
import { temporaryFolder } from '../helpers/cli.js';

const folder = (name: string): string =>
  fileURLToPath(new URL(`../../../shared/data/faults/${name}/blocks`, import.meta.url));

describe.each(['memory-of-zero-pages', 'loop-with-result'])('chain %s', (name) => {
  const path = folder(name);
  it.skipIf(!existsSync(path))(
    'ends with the same root under every policy',
    async () => {
      const roots = new Map<string, readonly string[]>();
      for (const policy of ['sequential', 'cpu', 'gpu'] as const) {
        const gpu = policy === 'gpu' ? await openGpuExecutor({ patient: true }) : undefined;
        const found: string[] = [];
        try {
          await replay({
            path,
            dbDir: `${temporaryFolder()}/db`,
            policy,
            gpu,
            waitForKernels: true,
            workers: 0,
            onBlock: (_, root) => found.push(root),
          });
        } finally {
          await gpu?.close();
        }
        roots.set(policy, found);
      }
      expect(roots.get('sequential')).toHaveLength(3);
      expect(roots.get('cpu')).toEqual(roots.get('sequential'));
      expect(roots.get('gpu')).toEqual(roots.get('sequential'));
    },
    120_000,
  );
});
