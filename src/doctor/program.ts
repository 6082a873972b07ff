/** What the program itself needs: Node.js, its native modules, WebAssembly, memory. */
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { failureOf } from '../errors/errors.js';
import { treeInstance } from '../store/tree/tree-instance.js';
import { cacheFolder } from '../util/cache-folder.js';
import { messageOf } from './cause.js';
import { type Finding, Findings } from './finding.js';

const MIB = 2 ** 20;
/** What indexing takes with the settings as they are, about. */
const USUAL_MIB = 1_536;
/** A key and its value, to be written and read again. */
const KEY = Uint8Array.of(1);
const VALUE = Uint8Array.of(2, 3);

export async function examineProgram(): Promise<readonly Finding[]> {
  const findings = new Findings('program');
  const { platform, arch, versions } = process;
  findings.ok('Node.js', `${versions.node} on ${platform} ${arch}, V8 ${versions.v8}`);
  await examineDatabaseModule(findings);
  examineWasm(findings);
  examineCache(findings);
  const memory = Math.round(Math.min(totalmem(), process.constrainedMemory?.() || totalmem()) / MIB);
  const cores = `${availableParallelism()} cores, ${memory} MiB of memory`;
  if (memory >= USUAL_MIB) findings.ok('machine', cores);
  else {
    const todo = `Indexing takes about ${USUAL_MIB} MiB: lower --db-cache and --tree-memory, or give it more memory.`;
    findings.warning('machine', cores, todo);
  }
  return findings.list;
}

/** Writes and reads a row in a database that goes again. */
async function examineDatabaseModule(findings: Findings): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'warpshrew-doctor-'));
  try {
    // Loading the binding may be what fails.
    const { Rocks } = await import('../store/rocks.js');
    const rocks = await Rocks.open(join(folder, 'db'), true);
    try {
      const batch = rocks.batch();
      batch.put('meta', KEY, VALUE);
      batch.write();
      const [read] = rocks.getMany('meta', [KEY]);
      if (read === undefined || !Buffer.from(read).equals(VALUE)) throw new Error('a value came back otherwise');
    } finally {
      await rocks.close();
    }
    findings.ok('RocksDB', 'a row was written and read');
  } catch (error) {
    const todo = 'Install the dependencies again (npm ci); on another platform than Linux x64 build the module.';
    findings.failure('RocksDB', messageOf(error), todo);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Instances of what is shipped: vector instructions, shared memory. */
function examineWasm(findings: Findings): void {
  try {
    treeInstance();
    findings.ok('WebAssembly', 'vector instructions and shared memory work');
  } catch (error) {
    findings.failure(
      'WebAssembly',
      messageOf(error),
      'Use a build of Node.js with WebAssembly, and without --jitless.',
    );
  }
}

function examineCache(findings: Findings): void {
  try {
    findings.ok('cache folder', cacheFolder());
  } catch (error) {
    const { message, hint = '' } = failureOf(error);
    findings.warning('cache folder', message, hint);
  }
}
