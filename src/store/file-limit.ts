/** RocksDB keeps each of its files open: whether the process may open as many as a database has, and will have. */
import { readdirSync, readFileSync } from 'node:fs';
import { StoreError } from '../errors/errors.js';

/** Beside the tables: logs, sockets of the server, blocks of the node, modules. */
const OTHER_FILES = 256;
/** New tables stand beside those that they replace until they are whole, and the database grows. */
const GROWTH = 2;

export interface FileLimit {
  /** Files that the process may have open. */
  readonly limit: number;
  /** Tables that the database has. */
  readonly tables: number;
  /** What the limit should be, so that the database can double. */
  readonly wanted: number;
}

/** Undefined where the system does not tell the limit, or there is none. `limits`: the text of /proc/self/limits. */
export function fileLimit(dir: string, limits = procLimits()): FileLimit | undefined {
  const limit = Number(/^Max open files\s+(\d+)\s/m.exec(limits)?.[1]);
  if (!Number.isFinite(limit)) return undefined;
  const tables = namesIn(dir).filter((name) => name.endsWith('.sst')).length;
  return { limit, tables, wanted: GROWTH * tables + OTHER_FILES };
}

/** Throws StoreError STORE_FILE_LIMIT if the process may open fewer files than the database in `dir` needs now. */
export function assertFileLimit(dir: string, limits?: string): void {
  const files = fileLimit(dir, limits);
  if (files === undefined || files.limit >= files.tables + OTHER_FILES) return;
  throw new StoreError('STORE_FILE_LIMIT', 'this process may open fewer files than the database needs', {
    facts: { path: dir, ...files },
    hint: `Raise it to ${files.wanted} or more: ulimit -n, LimitNOFILE= of the service, --ulimit of the container.`,
  });
}

function procLimits(): string {
  try {
    return readFileSync('/proc/self/limits', 'latin1');
  } catch {
    return '';
  }
}

function namesIn(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
