import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { constants } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { brotliDecompressSync } from 'node:zlib';
import { EnvironmentError } from '../../errors/errors.js';
import { cacheFolder } from '../../util/cache-folder.js';

const MANIFEST = 'vk_swiftshader_icd.json';
const FILES = ['libvk_swiftshader.so', 'libvulkan.so.1', MANIFEST];
const MAX_ARCHIVE_BYTES = 256 * 1024 * 1024;
const BLOCK = 512;

/**
 * Variables that a process must be started with to use the bundled software Vulkan driver (SwiftShader): the library
 * path counts only when it is set before the start. Unpacks the driver into the cache folder first. Empty where the
 * bundled driver does not run (anything but Linux on x64).
 *
 * @throws EnvironmentError GPU_NO_SOFTWARE_DRIVER if the driver's package is missing or damaged; ENV_NO_CACHE.
 */
export function softwareDriverEnvironment(): Record<string, string> {
  if (process.platform !== 'linux' || process.arch !== 'x64') return {};
  const folder = unpacked();
  const libraries = [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter);
  return { LD_LIBRARY_PATH: libraries, VK_DRIVER_FILES: join(folder, MANIFEST) };
}

/**
 * Runs a command under the software driver, or under the hardware's if WARPSHREW_GPU is `hardware`, on this process's
 * own streams. Resolves with its exit status: 128 + signal number if killed, 127 if there is no such command.
 *
 * @param path folders looked at for the command before those of PATH.
 * @throws what {@link softwareDriverEnvironment} throws.
 */
export function runUnderSoftwareDriver([command, ...args]: readonly string[], path: string[] = []): Promise<number> {
  const environment = process.env.WARPSHREW_GPU === 'hardware' ? {} : softwareDriverEnvironment();
  const PATH = [...path, process.env.PATH].filter(Boolean).join(delimiter);
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, PATH, ...environment } });
    const forward = (signal: NodeJS.Signals): void => void child.kill(signal);
    process.on('SIGINT', forward).on('SIGTERM', forward);
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT') return reject(error);
      process.stderr.write(`${command}: no such command\n`);
      resolve(127);
    });
    child.on('exit', (status, signal) => {
      process.off('SIGINT', forward).off('SIGTERM', forward);
      resolve(signal === null ? (status ?? 1) : 128 + constants.signals[signal]);
    });
  });
}

/** The folder with the driver. Its name holds the archive's hash, so that another version gets another folder. */
function unpacked(): string {
  const archive = readArchive();
  const hash = createHash('sha256').update(archive).digest('hex').slice(0, 16);
  const folder = join(cacheFolder(), `software-gpu-${hash}`);
  if (!isUnpacked(folder)) unpackInto(folder, archive);
  return folder;
}

/** The archive lies with its package, wherever npm put that. */
function readArchive(): Uint8Array {
  try {
    const require = createRequire(import.meta.url);
    let folder = dirname(require.resolve('@sparticuz/chromium'));
    while (!existsSync(join(folder, 'bin', 'swiftshader.tar.br'))) {
      const up = dirname(folder);
      if (up === folder) throw new Error('@sparticuz/chromium holds no bin/swiftshader.tar.br');
      folder = up;
    }
    return readFileSync(join(folder, 'bin', 'swiftshader.tar.br'));
  } catch (cause) {
    throw unusable('the package with the software GPU driver is missing', cause);
  }
}

function unusable(message: string, cause?: unknown): EnvironmentError {
  return new EnvironmentError('GPU_NO_SOFTWARE_DRIVER', message, {
    hint: 'Install the dependencies again (npm ci), or use the CPU policies.',
    cause,
  });
}

function isUnpacked(folder: string): boolean {
  return FILES.every((file) => existsSync(join(folder, file)));
}

/** Unpacks into a new folder and renames it, so that another process sees all of it or nothing. */
function unpackInto(folder: string, archive: Uint8Array): void {
  const fresh = mkdtempSync(`${folder}.`);
  try {
    const files = filesOf(archive);
    for (const file of FILES) {
      const bytes = files.get(file);
      if (bytes === undefined) throw unusable(`the archive of the software GPU driver lacks ${file}`);
      writeFileSync(join(fresh, file), bytes, { mode: 0o755 });
    }
    try {
      renameSync(fresh, folder);
    } catch (error) {
      if (isUnpacked(folder)) return;
      // A half-made folder stands there: put it aside, then try once more.
      const aside = `${folder}.${randomBytes(4).toString('hex')}`;
      renameSync(folder, aside);
      renameSync(fresh, folder);
      rmSync(aside, { recursive: true, force: true });
      if (!isUnpacked(folder)) throw error;
    }
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/** The regular files of a compressed tar archive by base name; links and folders are passed over. */
function filesOf(compressed: Uint8Array): Map<string, Uint8Array> {
  let archive: Buffer;
  try {
    archive = brotliDecompressSync(compressed, { maxOutputLength: MAX_ARCHIVE_BYTES });
  } catch (cause) {
    throw unusable('the archive of the software GPU driver is damaged', cause);
  }
  const files = new Map<string, Uint8Array>();
  const text = (at: number, length: number): string =>
    archive.toString('latin1', at, at + length).replace(/\0.*$/s, '');
  for (let at = 0; at + BLOCK <= archive.length; ) {
    const name = text(at, 100);
    if (name === '') break;
    const size = Number.parseInt(text(at + 124, 12).trim() || '0', 8);
    if (!Number.isSafeInteger(size) || size < 0 || at + BLOCK + size > archive.length) {
      throw unusable('the archive of the software GPU driver is damaged');
    }
    const type = text(at + 156, 1);
    if (type === '' || type === '0') files.set(basename(name), archive.subarray(at + BLOCK, at + BLOCK + size));
    at += BLOCK + Math.ceil(size / BLOCK) * BLOCK;
  }
  return files;
}
