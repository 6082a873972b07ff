import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { toHex } from '../../src/util/bytes.js';
import { bundledDatabase } from '../helpers/bundled-database.js';
import { CHAIN, type CliRun, cli, lastLine, startCli, temporaryFolder } from '../helpers/cli.js';

const TIP = 110;
/** A key of the built-in indexer. */
const KEY = toHex(new TextEncoder().encode('tip'));

function ended(run: CliRun, status: number, text: RegExp): void {
  expect(`${run.stdout}${run.stderr}`).toMatch(text);
  expect(run.status).toBe(status);
}

async function database(): Promise<{ folder: string; db: string; stateRoot: string }> {
  const folder = temporaryFolder();
  const [, stateRoot] = readFileSync(join(CHAIN, 'roots.txt'), 'utf8').split('\n')[TIP].split(' ');
  return { folder, db: await bundledDatabase(TIP), stateRoot };
}

test('proofs of a present and an absent key go through a file of each form and are verified offline', async () => {
  const { folder, db, stateRoot } = await database();
  const get = (...more: string[]): Promise<CliRun> => cli('proof', 'get', '--db', db, '--namespace', 'S', ...more);
  const [binary, json] = [join(folder, 'proof'), join(folder, 'proof.json')];

  ended(
    await get('--key', KEY, '--out', binary),
    0,
    /proved: key 0x746970 of namespace S has a value of 4 bytes: 0x6e0/,
  );
  ended(await cli('proof', 'verify', binary), 0, /^proved: .*: 0x6e000000\n {2}after block +110 /);
  ended(
    await cli('proof', 'verify', binary, '--root', stateRoot, '--height', '110', '--namespace', 'S', '--key', KEY),
    0,
    /the one given/,
  );
  ended(await cli('proof', 'verify', binary, '--height', '109'), 1, /^not proved: PROOF_OTHER_HEIGHT: /);
  ended(await cli('proof', 'verify', binary, '--key', `${KEY}00`), 1, /^not proved: PROOF_OTHER_KEY: /);
  ended(await cli('proof', 'verify', binary, '--namespace', 'P'), 1, /^not proved: PROOF_OTHER_KEY: /);
  ended(await cli('proof', 'verify', binary, '--root', '00'.repeat(32)), 1, /^not proved: PROOF_OTHER_ROOT: /);

  const absent = await get('--key', `${KEY}00`);
  expect(absent.status).toBe(0);
  writeFileSync(json, absent.stdout);
  ended(await cli('proof', 'verify', json, '--root', stateRoot), 0, /^proved: key 0x74697000 .* is absent$/m);
  const verdict = await cli('proof', 'verify', json, '--json');
  expect(lastLine(verdict)).toMatchObject({ proved: true, height: TIP, value: null, stateRoot: `0x${stateRoot}` });
  // A lie: the key has a value.
  const lie = { ...(JSON.parse(absent.stdout) as object), value: '0x00', otherLeaf: null };
  writeFileSync(json, JSON.stringify(lie));
  ended(await cli('proof', 'verify', json), 1, /^not proved: PROOF_WRONG: /);
  expect(lastLine(await cli('proof', 'verify', json, '--json'))).toMatchObject({ proved: false, code: 'PROOF_WRONG' });

  const damaged = new Uint8Array(readFileSync(binary));
  damaged[20] ^= 1;
  writeFileSync(binary, damaged);
  ended(await cli('proof', 'verify', binary), 3, /^PROOF_CHECKSUM: /);
  writeFileSync(binary, 'nothing');
  ended(await cli('proof', 'verify', binary), 3, /^PROOF_MALFORMED: /);
  ended(await cli('proof', 'verify', join(folder, 'none')), 3, /^FILE_UNREADABLE: /);

  ended(await get('--key', KEY, '--height', '111'), 2, /^USAGE_HEIGHT_NOT_INDEXED: /);
  ended(await get('--key', KEY, '--rpc', 'http://127.0.0.1:1'), 2, /^USAGE_PROOF_FROM: /);
  ended(await get('--key', 'xy'), 2, /whole bytes of hex/);
  ended(await cli('proof', 'verify', json, '--root', '00'), 2, /64 hex digits/);
});

test('a server gives the proofs that its database gives, and what it refuses is said', async () => {
  const { db, stateRoot } = await database();
  const own = await cli('proof', 'get', '--db', db, '--namespace', 'S', '--key', KEY);
  const { child, done } = startCli(['serve', '--db', db, '--port', '0']);
  onTestFinished(() => void child.kill('SIGKILL'));
  const url = await new Promise<string>((found) => {
    child.stdout?.on('data', (text: string) => {
      const at = /http:\/\/\S+:\d+/.exec(text);
      if (at !== null) found(at[0]);
    });
  });
  const get = (...more: string[]): Promise<CliRun> =>
    cli('proof', 'get', '--rpc', url, '--namespace', 'S', '--key', KEY, ...more);
  const served = await get();
  expect(served.stdout).toBe(own.stdout);
  expect(lastLine(served)).toMatchObject({ stateRoot: `0x${stateRoot}`, value: '0x6e000000' });
  ended(await get('--height', '111'), 5, /^ENV_RPC_FAILED: [\s\S]*BLOCK_NOT_INDEXED/);
  ended(await cli('proof', 'get', '--rpc', 'ftp://x', '--namespace', 'S', '--key', KEY), 5, /no http or https URL/);
  child.kill('SIGINT');
  expect((await done).status).toBe(0);
  ended(await get(), 5, /^ENV_RPC_FAILED: [\s\S]*ECONNREFUSED/);
});
