// Moves a finished build into dist/ while processes may run from there.
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { CHUNKS } from './bundles.mjs';
import { filesUnder, hashOf, STAMP } from './stamp.mjs';

const PREFIX = 'dist.next-';

/** A new folder beside dist/. Goes with this process; what killed builds left goes, too. */
export function openNext(root) {
  for (const name of readdirSync(root)) {
    if (name.startsWith(PREFIX) && !isAlive(Number(name.slice(PREFIX.length)))) {
      rmSync(join(root, name), { recursive: true, force: true });
    }
  }
  const folder = join(root, `${PREFIX}${process.pid}`);
  const remove = () => rmSync(folder, { recursive: true, force: true });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
    process.on(signal, () => process.exit(1));
  }
  process.on('exit', remove);
  remove();
  mkdirSync(folder);
  return { folder, remove };
}

function isAlive(pid) {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

/**
 * Brings what the steps wrote, each into `next/NAME`, into `dist`: what is the same stays where it is, what differs
 * is replaced by a rename, what no step writes any more is removed last. Chunks of the last build stay until the next
 * one: a process that has just begun loads them. Returns what is to be recorded. An interrupted move leaves no record,
 * so that the next build begins anew.
 */
export function moveIn(next, dist, states) {
  mkdirSync(dist, { recursive: true });
  rmSync(join(dist, STAMP), { force: true });
  const record = {};
  for (const { step, inputs, files, checked, fresh } of states) {
    record[step.name] = { inputs, checked, files: fresh ? files : moveStep(join(next, step.name), dist) };
  }
  const before = states.flatMap(({ files }) => Object.keys(files).filter((file) => file.startsWith(CHUNKS)));
  const known = new Set([...before, ...Object.values(record).flatMap(({ files }) => Object.keys(files))]);
  for (const file of filesUnder(dist)) if (!known.has(file)) removeFile(dist, file);
  return record;
}

/** Gives the hash of every file of the step by name. */
function moveStep(folder, dist) {
  const files = {};
  for (const file of filesUnder(folder)) {
    const hash = hashOf(readFileSync(join(folder, file)));
    const target = join(dist, file);
    files[file] = hash;
    if (existsSync(target) && hashOf(readFileSync(target)) === hash) continue;
    mkdirSync(dirname(target), { recursive: true });
    renameSync(join(folder, file), target);
  }
  return files;
}

/** Removes a file and the folders that are empty without it. */
function removeFile(dist, file) {
  rmSync(join(dist, file), { force: true });
  for (let folder = dirname(file); folder !== '.'; folder = dirname(folder)) {
    if (readdirSync(join(dist, folder)).length > 0) return;
    rmdirSync(join(dist, folder));
  }
}
