/** The folder of the database: whose it is, whether it can be opened, whether it has room to grow. Changes nothing. */
import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { failureOf, StoreError } from '../errors/errors.js';
import type { Settings } from '../service/options.js';
import { fileLimit } from '../store/file-limit.js';
import { inspectFolder } from '../store/folder.js';
import { messageOf } from './cause.js';
import { type Finding, Findings } from './finding.js';

const GIB = 2 ** 30;
/** A day of full blocks and what is merged meanwhile stays well below it. */
const LEAST_FREE = 20 * GIB;

export async function examineDatabase({ db, network }: Pick<Settings, 'db' | 'network'>): Promise<readonly Finding[]> {
  const findings = new Findings('database');
  const path = resolve(db);
  await examineContent(findings, path, network);
  examineSpace(findings, path);
  const files = fileLimit(path);
  if (files !== undefined) {
    const found = `${files.limit} may be open, the database has ${files.tables} tables`;
    const todo = `Raise it to ${files.wanted} or more: ulimit -n, LimitNOFILE= of a service, --ulimit of a container.`;
    if (files.limit >= files.wanted) findings.ok('open files', found);
    else findings.warning('open files', found, todo);
  }
  return findings.list;
}

async function examineContent(findings: Findings, path: string, network: string): Promise<void> {
  const what = 'folder';
  try {
    if (inspectFolder(path) === 'new') {
      const parent = existing(path);
      accessSync(parent, constants.W_OK | constants.X_OK);
      findings.ok(what, `${path}: the first block makes a database there`);
      return;
    }
    const { Store } = await import('../store/store.js');
    const found = await Store.inspect(path);
    if (found.network === network) findings.ok(what, `${path}: a database of ${network}`);
    else {
      const todo = `Give --network ${found.network}, or another folder (--db).`;
      findings.failure(what, `${path}: a database of ${found.network}; the settings say ${network}`, todo);
    }
  } catch (error) {
    if (error instanceof StoreError && error.code === 'STORE_LOCKED') {
      findings.ok(what, `${path}: a running process has it open`);
      return;
    }
    if (error instanceof StoreError && error.code === 'STORE_EMPTY') {
      findings.ok(what, `${path}: no block is stored yet`);
      return;
    }
    const { hint } = failureOf(error);
    const todo = hint ?? 'Let this user write there (User= of the service, chown), or name another folder (--db).';
    findings.failure(what, `${path}: ${messageOf(error)}`, todo);
  }
}

function examineSpace(findings: Findings, path: string): void {
  try {
    const { bavail, bsize } = statfsSync(existing(path));
    const free = bavail * bsize;
    const found = `${(free / GIB).toFixed(1)} GiB are free`;
    if (free >= LEAST_FREE) findings.ok('space', found);
    else findings.warning('space', found, `Make room: less than ${LEAST_FREE / GIB} GiB may not last long.`);
  } catch (error) {
    findings.skipped('space', messageOf(error));
  }
}

/** `path`, or the lowest folder above it that exists. */
function existing(path: string): string {
  let at = path;
  while (!existsSync(at) && dirname(at) !== at) at = dirname(at);
  return at;
}
