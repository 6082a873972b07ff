// One run of `warpshrew index` on a node, observed through its log: phases, blocks, reorgs.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../dist/cli.js', import.meta.url));
const PHASES = ['syncing', 'at-tip', 'node-behind', 'waiting-for-node', 'rolling-back', 'stopped'];
const NOTHING = () => undefined;

export class IndexRun {
  /** What the process was doing according to its last log line. */
  phase = 'opening';
  /** Blocks indexed: `{ height, hash }`, the hash as displayed. */
  blocks = [];
  /** Reorgs that were followed to their end: `{ from, to, depth }`. */
  reorgs = [];
  /** Whether it has begun to undo blocks. */
  hasUndone = false;
  onBlock = NOTHING;
  /** Resolves when the database is open, with the milliseconds that it took. */
  opened;
  /** Resolves with the address of the server. */
  serving;
  /** Resolves when the process begins to undo blocks. */
  undoing;
  /** Resolves with the exit status, undefined after a signal. */
  exited;
  #child;
  #log = '';
  #open = NOTHING;
  #serve = NOTHING;
  #undo = NOTHING;

  constructor(nodeUrl, db, more) {
    const started = performance.now();
    this.opened = new Promise((resolve) => {
      this.#open = () => resolve(performance.now() - started);
    });
    this.serving = new Promise((resolve) => {
      this.#serve = resolve;
    });
    this.undoing = new Promise((resolve) => {
      this.#undo = resolve;
    });
    const own = ['--network', 'regtest', '--node-url', nodeUrl, '--auth', 'u:p', '--poll-interval', '50', '--db', db];
    const args = [CLI, 'index', ...own, '--port', '0', '--workers', '1', '--no-gpu', '--log-level', 'debug', ...more];
    this.#child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'pipe'] });
    let rest = '';
    this.#child.stderr.setEncoding('utf8').on('data', (text) => {
      this.#log = (this.#log + text).slice(-10_000);
      const lines = (rest + text).split('\n');
      rest = lines.pop();
      for (const line of lines) if (line.startsWith('{')) this.#hear(JSON.parse(line));
    });
    this.exited = new Promise((resolve, reject) => {
      this.#child.once('error', reject);
      this.#child.once('close', (status) => resolve(status ?? undefined));
    });
  }

  /** Kills it; throws if it has ended by itself. */
  async kill() {
    this.#child.kill('SIGKILL');
    if ((await this.exited) !== undefined) throw new Error(`it ended by itself:\n${this.#log}`);
  }

  /** Waits for its end; throws unless that is a good one. */
  async ends() {
    const status = await this.exited;
    if (status !== 0) throw new Error(`it ended with ${status}:\n${this.#log}`);
  }

  #hear({ msg, height, hash, from, to, depth, url }) {
    if (msg === 'database open') this.#open();
    else if (msg === 'serving JSON-RPC') this.#serve(url);
    else if (msg === 'block indexed') {
      this.blocks.push({ height, hash });
      this.onBlock({ height, hash });
    } else if (msg === 'reorg: blocks undone') this.reorgs.push({ from, to, depth });
    else if (PHASES.includes(msg)) {
      this.phase = msg;
      if (msg !== 'rolling-back') return;
      this.hasUndone = true;
      this.#undo();
    }
  }
}
