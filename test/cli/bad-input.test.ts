import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bundledDatabase } from '../helpers/bundled-database.js';
import { CHAIN, type CliRun, cli, lastLine, startCli, temporaryFolder } from '../helpers/cli.js';
import { replayHere, replayTo } from '../helpers/here.js';

/** Copies the bundled chain and lets `edit` change its blocks. */
function editedChain(
  edit: (blocks: Uint8Array, index: { blocks: { offset: number; length: number }[] }) => Uint8Array,
): string {
  const chain = join(temporaryFolder(), 'chain');
  cpSync(CHAIN, chain, { recursive: true });
  const index = JSON.parse(readFileSync(join(chain, 'chain.json'), 'utf8')) as {
    blocks: { offset: number; length: number }[];
  };
  writeFileSync(join(chain, 'blocks.dat'), edit(new Uint8Array(readFileSync(join(chain, 'blocks.dat'))), index));
  return chain;
}

/** One raw block of the bundled chain as a file. */
function blockFile(height: number, edit: (block: Uint8Array) => Uint8Array = (block) => block): string {
  const index = JSON.parse(readFileSync(join(CHAIN, 'chain.json'), 'utf8')) as {
    blocks: { offset: number; length: number }[];
  };
  const { offset, length } = index.blocks[height];
  const file = join(temporaryFolder(), `${height}.bin`);
  writeFileSync(file, edit(new Uint8Array(readFileSync(join(CHAIN, 'blocks.dat')).subarray(offset, offset + length))));
  return file;
}

function refused(run: CliRun, status: number, code: string): void {
  expect(run.stderr).toContain(`${code}:`);
  expect(run.status).toBe(status);
}

test('a cut chain, a changed block or a bad merkle root is refused; the last whole block stays', async () => {
  const db = join(temporaryFolder(), 'db');
  const short = editedChain((blocks) => blocks.subarray(0, blocks.length - 1));
  refused(await cli('replay', short, '--db', db, '--policy', 'sequential', '--json'), 3, 'FIXTURE_TRUNCATED');
  const altered = editedChain((blocks, { blocks: entries }) => {
    blocks[entries[10].offset + 5] ^= 1;
    return blocks;
  });
  refused(await replayHere(altered, db), 3, 'FIXTURE_HASH');
  const merkle = editedChain((blocks, { blocks: entries }) => {
    // The last byte before the lock time of the coinbase: the header stays as it is.
    blocks[entries[15].offset + entries[15].length - 5] ^= 1;
    return blocks;
  });
  const run = await replayHere(merkle, db);
  expect(run.status).toBe(3);
  expect(run.stderr).toMatch(/BLOCK_BAD_MERKLE_ROOT|BLOCK_BAD_WITNESS_COMMITMENT|BLOCK_MALFORMED/);
  expect(lastLine(await replayTo(db, 20))).toMatchObject({ height: 20, blocks: 6 });
});

test('a truncated block file and trailing bytes are refused', async () => {
  const db = join(temporaryFolder(), 'db');
  refused(
    await replayHere(
      blockFile(120, (block) => block.subarray(0, block.length - 3)),
      db,
    ),
    3,
    'BLOCK_TRUNCATED',
  );
  refused(
    await replayHere(
      blockFile(120, (block) => Uint8Array.of(...block, 0)),
      db,
    ),
    3,
    'BLOCK_TRAILING_BYTES',
  );
  refused(await replayHere(join(db, 'nowhere'), db), 3, 'BLOCK_FILE_UNREADABLE');
});

test('a block that does not build on the tip is refused', async () => {
  const db = await bundledDatabase(110);
  refused(await replayHere(blockFile(112), db), 3, 'BLOCK_WRONG_PREVIOUS_HASH');
});

test('another start height or rule than the recorded one, and a module that is no indexer, are refused', async () => {
  const db = join(temporaryFolder(), 'db');
  await replayTo(db, 3);
  const replay = (to: string, ...more: string[]) =>
    cli('replay', CHAIN, '--db', to, '--policy', 'sequential', '--json', ...more);
  refused(await replay(db, '--lane-start-block', '7'), 4, 'STORE_LANE_START_MISMATCH');
  refused(await replay(db, '--dependent', 'reject'), 4, 'STORE_DEPENDENT_MISMATCH');
  const module = join(temporaryFolder(), 'empty.wasm');
  writeFileSync(module, Uint8Array.of(0, 0x61, 0x73, 0x6d, 1, 0, 0, 0));
  const unused = join(temporaryFolder(), 'unused');
  refused(await replay(unused, '--indexer', module), 3, 'MODULE_NO_START');
  expect(existsSync(unused)).toBe(false);
});

test('a folder that cannot hold a database is refused', async () => {
  const file = join(temporaryFolder(), 'file');
  writeFileSync(file, 'x');
  const run = await cli('replay', CHAIN, '--db', join(file, 'db'), '--policy', 'sequential');
  expect(run.status).toBe(4);
  expect(run.stderr).toContain('STORE_UNWRITABLE:');
});

test('serve: a missing database and a port in use are refused', async () => {
  const folder = temporaryFolder();
  refused(await cli('serve', '--db', join(folder, 'none')), 4, 'STORE_MISSING');
  const db = join(folder, 'db');
  await replayTo(db, 2);
  const blocker = createServer();
  await new Promise<void>((resolve) => blocker.listen(0, '127.0.0.1', resolve));
  const address = blocker.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  refused(await cli('serve', '--db', db, '--port', String(port)), 5, 'ENV_PORT_IN_USE');
  blocker.close();
});

test('serve answers over HTTP and ends on SIGTERM', async () => {
  const db = join(temporaryFolder(), 'db');
  await replayTo(db, 2);
  const { child, done } = startCli(['serve', '--db', db, '--port', '0']);
  const url = await new Promise<string>((resolve) => {
    child.stdout?.on('data', (text: string) => {
      const match = /JSON-RPC on (\S+)/.exec(text);
      if (match) resolve(match[1]);
    });
  });
  const ask = async (method: string, params: unknown[]): Promise<unknown> => {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ jsonrpc: '2.0', id: 1, method, params }),
    });
    return ((await response.json()) as { result: unknown }).result;
  };
  expect(await ask('metashrew_height', [])).toBe('2');
  expect(await ask('metashrew_view', ['tipheight', '0x', 'latest'])).toMatch(/^0x/);
  child.kill('SIGTERM');
  expect((await done).status).toBe(0);
});

test('a wrong command line has status 2 and says what is allowed', async () => {
  const run = await cli('replay', CHAIN, '--policy', 'fastest');
  expect(run.status).toBe(2);
  expect(run.stderr).toContain('one of auto, balance, cpu, gpu, sequential');
});
