import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { problemLines, readConfig, requireConfig } from '../../src/service/config.js';
import { stripComments } from '../../src/service/json-comments.js';
import { CHAIN, cli, temporaryFolder } from '../helpers/cli.js';

function file(text: string): string {
  const path = join(temporaryFolder(), 'settings.json');
  writeFileSync(path, text);
  return path;
}

const fixture = { fixture: CHAIN };

describe('settings', () => {
  test('flags go before the environment, the environment before the file, the file before the defaults', () => {
    const config = file('{ "port": 1, "workers": 1, "policy": "cpu", /* all of them */ "host": "0.0.0.0" }');
    const environment = { WARPSHREW_PORT: '2', WARPSHREW_WORKERS: '2', WARPSHREW_GPU: 'false' };
    const { settings, origins, problems } = readConfig({ flags: { ...fixture, config, port: '3' }, environment });
    expect(problems).toEqual([]);
    expect(settings).toMatchObject({ port: 3, workers: 2, policy: 'cpu', host: '0.0.0.0', gpu: false, keepUndo: 100 });
    expect(origins).toMatchObject({
      port: '--port',
      workers: 'WARPSHREW_WORKERS',
      policy: `${config}: policy`,
      gpu: 'WARPSHREW_GPU',
      keepUndo: 'default',
    });
  });

  test('the environment may name the file', () => {
    const config = file('{ "label": "from-the-file" } // the end');
    const { settings } = readConfig({ flags: fixture, environment: { WARPSHREW_CONFIG: config } });
    expect(settings.label).toBe('from-the-file');
  });

  test('every problem is told at once, each with where it comes from', () => {
    const config = file('{ "port": "http", "exitAt": 1.5, "nosuch": 1, "cors": 7 }');
    const flags = { config, policy: 'fast', dbPath: 'a', db: 'b', exitAt: '9', startBlock: '9', indexer: '/nowhere' };
    const environment = { WARPSHREW_WORKERS: '-1', WARPSHREW_PROT: '80', WARPSHREW_GPU: 'maybe', PATH: '/bin' };
    const lines = problemLines(readConfig({ flags, environment }).problems);
    expect(Object.fromEntries(lines)).toEqual({
      [`${config}: port`]: "must be a whole number from 0 to 65535, not 'http'",
      [`${config}: nosuch`]: 'no setting of that name',
      [`${config}: cors`]: 'must be text',
      WARPSHREW_WORKERS: "must be a whole number from 1 to 256, not '-1'",
      WARPSHREW_PROT: 'no setting of that name',
      WARPSHREW_GPU: 'must be true or false',
      '--policy': 'must be one of auto, balance, cpu, gpu, sequential',
      '--db-path': 'means the same as --db: give one of them',
      '--node-url': 'name a node, or the block files of one with --blocks-dir, or a chain with --fixture',
      '--exit-at': 'must be above --start-block',
      '--indexer': 'there is nothing at /nowhere',
    });
  });

  test.each([
    ['{ "port": 80', 'is not JSON'],
    ['[]', 'is not a JSON object'],
    ['"text"', 'is not a JSON object'],
  ])('the file %s is refused', (text, reason) => {
    const config = file(text);
    const { problems } = readConfig({ flags: { ...fixture, config }, environment: {} });
    expect(problems).toEqual([{ origin: config, reason: expect.stringContaining(reason) }]);
  });

  test('a file that is not there is one problem', () => {
    const { problems } = readConfig({ flags: { ...fixture, config: '/nowhere.json' }, environment: {} });
    expect(problems).toEqual([{ origin: '/nowhere.json', reason: expect.stringContaining('cannot be read') }]);
  });

  test.each([
    [{ fixture: CHAIN, nodeUrl: 'http://127.0.0.1' }, '--node-url'],
    [{ fixture: CHAIN, zmq: 'tcp://127.0.0.1:1' }, '--zmq'],
    [{ nodeUrl: 'http://u:p@127.0.0.1' }, '--node-url'],
    [{ nodeUrl: 'ftp://127.0.0.1' }, '--node-url'],
    [{ nodeUrl: 'http://127.0.0.1', auth: 'no token' }, '--auth'],
    [{ nodeUrl: 'http://127.0.0.1', auth: 'sshfs://host/cookie' }, '--auth'],
    [{ nodeUrl: 'http://127.0.0.1', auth: 'u:p', nodeCookie: 'x' }, '--node-cookie'],
    [{ nodeUrl: 'http://127.0.0.1', nodeUser: 'u' }, '--node-user'],
    [{ nodeUrl: 'http://127.0.0.1', gpuTokenFile: 'file' }, '--gpu-token-file'],
    [{ nodeUrl: 'http://127.0.0.1', gpuServer: 'unix:/s', gpu: false }, '--gpu-server'],
    [{ nodeUrl: 'http://127.0.0.1', gpuServer: 'http://127.0.0.1' }, '--gpu-server'],
    [{ nodeUrl: 'http://127.0.0.1', zmq: 'tcp://127.0.0.1' }, '--zmq'],
    [{ fixture: CHAIN, policy: 'gpu', gpu: false }, '--no-gpu'],
    [{ fixture: CHAIN, label: '../up' }, '--label'],
    [{ fixture: CHAIN, db: 'a\nb' }, '--db'],
    [{ fixture: CHAIN, keepUndo: '0' }, '--keep-undo'],
    [{ fixture: CHAIN, history: '0' }, '--history'],
    [{ fixture: CHAIN, history: 'all' }, '--history'],
    [{ fixture: CHAIN, skipBadBlock: true }, '--skip-bad-block'],
  ])('%j is a problem of %s', (flags, origin) => {
    const { problems } = readConfig({ flags, environment: {} });
    expect(problems.map((problem) => problem.origin)).toContain(origin);
    expect(() => requireConfig({ flags, environment: {} })).toThrow(expect.objectContaining({ code: 'USAGE_CONFIG' }));
  });
});

test('comments are stripped outside of strings only, and positions stay', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value, null, 1);
      expect(stripComments(text)).toBe(text);
      expect(JSON.parse(stripComments(`/* {" */ ${text} // "`))).toEqual(JSON.parse(text));
    }),
  );
  expect(stripComments('{"a": 1 // one\n}')).toBe('{"a": 1       \n}');
  expect(stripComments('1 /* no end')).toBe('1          ');
});

describe('warpshrew config check', () => {
  test('prints every setting with its origin and hides what is secret', async () => {
    const config = file('{ "nodeUser": "u", "nodePassword": "hunter2" }');
    const run = await cli('config', 'check', '--config', config, '--node-url', 'http://127.0.0.1:8332', '--no-gpu');
    expect(run.status, run.stdout).toBe(0);
    expect(run.stdout).not.toContain('hunter2');
    expect(run.stdout).toMatch(/^node-password +\*{8} +.*settings\.json: nodePassword$/m);
    expect(run.stdout).toMatch(/^gpu +false +--no-gpu$/m);
    expect(run.stdout).toMatch(/^port +8080 +default$/m);
  });

  test('shows no password of an address, of a path that is one, or of a file that is no JSON', async () => {
    const config = file('{ "nodePassword": hunter2 }');
    const flags = ['--node-url', 'http://user:hunter2@127.0.0.1', '--indexer', 'http://user:hunter2@host/a.wasm'];
    const zmq = ['--zmq', 'tcp://user:hunter2@127.0.0.1:1'];
    for (const args of [['config', 'check'], ['index']]) {
      const run = await cli(...args, '--config', config, ...flags, ...zmq, '--cors', 'http://u:hunter2@h');
      expect(run.status).toBe(2);
      expect(run.stdout + run.stderr).not.toContain('hunter2');
      expect(run.stdout + run.stderr).toContain(`${config}: is not JSON: Unexpected token`);
    }
    const unknown = await cli('index', '--node=http://user:hunter2@host');
    expect(unknown.stderr).toContain('http://***@host');
    expect(unknown.stderr).not.toContain('hunter2');
  });

  test('ends with status 2 and every problem', async () => {
    const run = await cli('config', 'check', '--port', 'x', '--policy', 'y');
    expect(run.status).toBe(2);
    expect(run.stdout).toMatch(/Problems \(3\):\n {2}--policy: .*\n {2}--port: .*\n {2}--node-url: /);
  });
});
