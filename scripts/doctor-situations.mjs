/** Situations in which `warpshrew doctor` is run, for docs/doctor.md and its test. */
import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { sha256d } from '../dist/bitcoin/hash.js';
import { openSource } from '../dist/bitcoin/sources.js';
import { vulkanSystem } from '../dist/doctor/vulkan.js';
import { softwareDriverEnvironment } from '../dist/gpu/device/software-driver.js';
import { FakeNode } from '../dist/testing/chains/fake-node.js';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const CLI = join(ROOT, 'dist', 'cli.js');
const CHAIN = join(ROOT, 'fixtures', 'regtest');
const DB = '/var/lib/warpshrew/db';
/** A port that nobody listens at. */
const NOBODY = 'http://127.0.0.1:1';

/** Each with the command as an operator writes it, and what it takes on a real machine to be in the situation. */
export const SITUATIONS = [
  {
    name: 'node-down',
    title: 'The node is down',
    about: 'Nothing listens at the address of the node.',
    flags: ['--no-gpu'],
    nodeUrl: NOBODY,
  },
  {
    name: 'no-loader',
    title: 'No Vulkan loader',
    about: 'A container or server without `libvulkan.so.1`: there is no way to a GPU, and the CPU does all the work.',
    flags: [],
    wrap: withoutLoader,
  },
  {
    name: 'software',
    title: 'A software driver',
    about: 'The bundled SwiftShader, under `warpshrew software-gpu -- warpshrew doctor`.',
    flags: [],
    environment: softwareDriverEnvironment,
    isHad: () => process.platform === 'linux' && process.arch === 'x64',
  },
  {
    name: 'hardware',
    title: 'A GPU without a display',
    about: 'The driver of a data centre GPU whose manifest leads to the library that needs no X server.',
    flags: [],
    environment: () => ({}),
    isRight: (text) => text.includes('ok    gpu: adapter'),
    isHad: () => process.env.WARPSHREW_GPU === 'hardware',
  },
  {
    name: 'broken-database',
    title: 'A broken database',
    about: 'The manifest of RocksDB is gone from the folder, after a disk was full or a copy was cut short.',
    flags: ['--no-gpu'],
    prepare: breakDatabase,
  },
];

/** What the command prints in the situation `name`, without what varies; undefined: it cannot be had here. */
export async function transcriptOf(name) {
  const situation = SITUATIONS.find((one) => one.name === name);
  if (situation.isHad?.() === false) return undefined;
  const wrap = situation.wrap === undefined ? [] : await situation.wrap();
  if (wrap === undefined) return undefined;
  const folder = mkdtempSync(join(tmpdir(), 'warpshrew-doctor-'));
  const node = await aNode();
  try {
    const db = join(folder, 'db');
    await situation.prepare?.(db);
    const flags = ['--db', db, '--network', 'regtest', '--node-url', situation.nodeUrl ?? node.url, ...situation.flags];
    // It says which driver tests use; for the program it would be a setting.
    const { WARPSHREW_GPU: _, ...inherited } = process.env;
    const { LD_LIBRARY_PATH: __, VK_DRIVER_FILES: ___, ...clean } = inherited;
    const environment = situation.environment === undefined ? clean : { ...inherited, ...situation.environment() };
    const { stdout, stderr } = await run([...wrap, process.execPath, CLI, 'doctor', ...flags], environment);
    if (stderr !== '') throw new Error(`doctor printed to standard error: ${stderr}`);
    const text = withoutWhatVaries(stdout, db);
    return situation.isRight?.(text) === false ? undefined : text;
  } finally {
    await node.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function aNode() {
  const blocks = [...openSource(CHAIN).blocks(0, 2)];
  return FakeNode.start(blocks.map(({ raw }) => ({ raw, hash: sha256d(raw.subarray(0, 80)) })));
}

async function breakDatabase(db) {
  const made = await run([process.execPath, CLI, 'replay', CHAIN, '--db', db, '--to', '3', '--policy', 'cpu']);
  if (made.status !== 0) throw new Error(made.stderr);
  for (const name of readdirSync(db)) if (name.startsWith('MANIFEST-')) rmSync(join(db, name));
}

/** The beginning of a command line under which there is no loader; undefined: this system lets nobody hide it. */
async function withoutLoader() {
  const { LD_LIBRARY_PATH: _, ...clean } = process.env;
  const { loader } = vulkanSystem(clean);
  if (loader === undefined) return [];
  // Its folder with the loader taken away, for this command alone: nothing is changed.
  const folder = realpathSync(dirname(loader));
  const script = [
    'set -e',
    'work=$(mktemp -d)',
    'mount -t tmpfs none "$work"',
    'mkdir "$work/upper" "$work/work"',
    `mount -t overlay overlay -o "lowerdir=${folder},upperdir=$work/upper,workdir=$work/work" "${folder}"`,
    `rm "${folder}/libvulkan.so.1"`,
    'exec "$@"',
  ].join('\n');
  const wrap = ['unshare', ...(process.getuid?.() === 0 ? [] : ['-r']), '-m', 'sh', '-c', script, 'sh'];
  const tried = await run([...wrap, process.execPath, '-e', '']).catch(() => undefined);
  return tried?.status === 0 ? wrap : undefined;
}

function run([command, ...args], environment = process.env) {
  const child = spawn(command, args, { cwd: ROOT, env: environment, stdio: ['ignore', 'pipe', 'pipe'] });
  const texts = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr']) {
    child[stream].setEncoding('utf8').on('data', (text) => {
      texts[stream] += text;
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (status) => resolve({ status, ...texts }));
  });
}

/** Sizes, times, versions and places as N, or as an operator has them. */
const VARIES = [
  [/\d+\.\d+\.\d+ on \S+ \S+, V8 \S+/, 'N on linux x64, V8 N'],
  [/(cache folder +)\S+/, '$1/home/warpshrew/.cache/warpshrew'],
  [/\d+ cores, \d+ MiB/, 'N cores, N MiB'],
  [/[\d.]+ GiB are free/, 'N GiB are free'],
  [/\d+ may be open/, 'N may be open'],
  [/driver \d[\d.]*/, 'driver N'],
  [/buffers of \d+ MiB, bindings of \d+ MiB/, 'buffers of N MiB, bindings of N MiB'],
  [/compiled in [\d.]+ ms, (\d+) calls in [\d.]+ ms/, 'compiled in N ms, $1 calls in N ms'],
];
/** Room and limits of this machine are not what a transcript is about. */
const OF_THE_MACHINE = /^WARN( {2}(?:database: (?:space|open files)|program: machine) .*)\n {8}.*\n/gm;

/** What `doctor` printed, as it is on any machine. */
export function withoutWhatVaries(stdout, db) {
  let text = stdout.replaceAll(db, DB).replaceAll(/http:\/\/127\.0\.0\.1:\d+/g, 'http://127.0.0.1:18443');
  text = text.replaceAll(/(ECONNREFUSED 127\.0\.0\.1:)\d+/g, '$118443').replaceAll(/(MANIFEST-)\d+/g, '$1N');
  for (const [pattern, instead] of VARIES) text = text.replace(pattern, instead);
  const own = text.trimEnd().replace(OF_THE_MACHINE, 'ok  $1\n').split('\n').slice(0, -1);
  const count = (mark) => own.filter((line) => line.startsWith(mark)).length;
  return [...own, `${count('FAIL')} failures, ${count('WARN')} warnings`].join('\n');
}

const HEAD = `# What doctor says

[\`warpshrew doctor\`](operations.md#warpshrew-doctor---json) looks at everything that indexing needs. These are its
real answers in situations that operators meet, made by \`node scripts/doctor-transcripts.mjs\`; sizes, times, versions
and places are replaced. Tests run the command anew and compare.
`;

/** The page; a situation without a transcript is left out. */
export function doctorPage(transcripts) {
  const sections = SITUATIONS.filter(({ name }) => transcripts.has(name)).map(({ name, title, about, flags }) => {
    const command = ['warpshrew doctor --network regtest', `--db ${DB}`, ...flags].join(' ');
    return `## ${title}\n\n<!-- ${name} -->\n\n${about}\n\n\`\`\`\n$ ${command}\n${transcripts.get(name)}\n\`\`\`\n`;
  });
  return [HEAD, ...sections].join('\n');
}

/** The transcript of the situation `name` in `page`; undefined: it has none. */
export function transcriptIn(page, name) {
  const [, rest] = page.split(`<!-- ${name} -->\n`);
  return /```\n\$ .*\n([\s\S]*?)\n```\n/.exec(rest ?? '')?.[1];
}
