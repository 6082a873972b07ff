/** A PostgreSQL server of its own in a temporary folder, where one is installed. */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

/** Where Debian's packages put a server, of which there may be several. */
const DEBIAN = '/usr/lib/postgresql';
const PASSWORD = 'p@ss/word';

interface Account {
  readonly uid?: number;
  readonly gid?: number;
}

/** The folder with `initdb` and `postgres`; undefined if there is none. */
export function postgresFolder(): string | undefined {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).sort((a, b) => Number(b) - Number(a)) : [];
  const folders = [...versions.map((version) => join(DEBIAN, version, 'bin')), ...(process.env.PATH ?? '').split(':')];
  return folders.find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))));
}

export class PostgresServer {
  #process: ChildProcess | undefined;
  readonly #bin: string;
  readonly #folder: string;
  readonly #account: Account;

  private constructor(
    bin: string,
    folder: string,
    account: Account,
    readonly port: number,
  ) {
    this.#bin = bin;
    this.#folder = folder;
    this.#account = account;
  }

  /** Starts a new one, on a free port of 127.0.0.1, which asks for a password. */
  static async start(): Promise<PostgresServer> {
    const bin = postgresFolder();
    if (bin === undefined) throw new Error('no PostgreSQL server is installed');
    const account = accountFor();
    const folder = mkdtempSync(join(tmpdir(), 'warpshrew-pg-'));
    if (account.uid !== undefined) chownSync(folder, account.uid, account.gid ?? account.uid);
    const server = new PostgresServer(bin, folder, account, await freePort());
    process.once('exit', server.#remove);
    const passwords = join(folder, 'password');
    execFileSync('sh', ['-c', `printf %s "$1" > "$2"`, 'sh', PASSWORD, passwords], { ...account });
    const options = ['-D', server.#data, '-U', 'warp', '-E', 'UTF8', '--no-sync', '-A', 'scram-sha-256'];
    await promisify(execFile)(join(bin, 'initdb'), [...options, `--pwfile=${passwords}`], { ...account, cwd: folder });
    await server.run();
    return server;
  }

  /** The database `postgres`, with the password. */
  get url(): string {
    return `postgres://warp:${encodeURIComponent(PASSWORD)}@127.0.0.1:${this.port}/postgres`;
  }

  get #data(): string {
    return join(this.#folder, 'data');
  }

  /** Starts it again after {@link kill}. */
  async run(): Promise<void> {
    const settings = {
      listen_addresses: '127.0.0.1',
      port: this.port,
      unix_socket_directories: this.#folder,
      fsync: 'off',
      max_connections: 20,
      shared_buffers: '16MB',
    };
    const args = Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]);
    const child = spawn(join(this.#bin, 'postgres'), ['-D', this.#data, ...args], {
      ...this.#account,
      cwd: this.#folder,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#process = child;
    await new Promise<void>((resolve, reject) => {
      let said = '';
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-10_000);
        if (said.includes('ready to accept connections')) resolve();
      });
      child.once('error', reject).once('exit', () => reject(new Error(`the PostgreSQL server ended: ${said}`)));
    });
  }

  /** Ends it as a crash does: nothing is written down, and the next start recovers. */
  async kill(): Promise<void> {
    const child = this.#process;
    if (child === undefined) return;
    this.#process = undefined;
    const gone = once(child, 'exit');
    // An immediate shutdown; after SIGKILL the next start would wait for children that have not noticed.
    child.kill('SIGQUIT');
    await gone;
  }

  async close(): Promise<void> {
    await this.kill();
    this.#remove();
    process.off('exit', this.#remove);
  }

  readonly #remove = (): void => {
    this.#process?.kill('SIGQUIT');
    rmSync(this.#folder, { recursive: true, force: true });
  };
}

/** PostgreSQL does not run as root: then as the user of its package, or nobody. */
function accountFor(): Account {
  if (process.getuid?.() !== 0) return {};
  const users = readFileSync('/etc/passwd', 'utf8').split('\n');
  const line = users.find((user) => user.startsWith('postgres:')) ?? users.find((user) => user.startsWith('nobody:'));
  const [, , uid, gid] = (line ?? '').split(':');
  return { uid: Number(uid), gid: Number(gid) };
}

async function freePort(): Promise<number> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  if (address === null || typeof address === 'string') throw new Error('no port is free');
  return address.port;
}
