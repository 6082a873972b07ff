#!/usr/bin/env node
// `node scripts/software-gpu.mjs CMD ARGS`: runs CMD with the bundled software Vulkan driver (SwiftShader) in its environment.
// Plain JavaScript, because it must work before the build; src/gpu/device/software-driver.ts hands the same functions to the CLI.
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { constants, tmpdir, userInfo } from 'node:os';
import { basename, delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliDecompressSync } from 'node:zlib';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const MANIFEST = 'vk_swiftshader_icd.json';
const FILES = ['libvk_swiftshader.so', 'libvulkan.so.1', MANIFEST];
const MAX_ARCHIVE_BYTES = 256 * 1024 * 1024;

/** The regular files of a tar archive by base name; links and folders are passed over. */
function readTar(archive) {
  const files = new Map();
  const text = (at, length) => archive.toString('latin1', at, at + length).replace(/\0.*$/s, '');
  for (let at = 0; at + 512 <= archive.length; ) {
    const name = text(at, 100);
    if (name === '') break;
    const size = Number.parseInt(text(at + 124, 12).trim() || '0', 8);
    if (!Number.isSafeInteger(size) || at + 512 + size > archive.length)
      throw new Error('the driver archive is damaged');
    const type = text(at + 156, 1);
    if (type === '' || type === '0') files.set(basename(name), archive.subarray(at + 512, at + 512 + size));
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return files;
}

/** Where the archive lies: with its package, wherever npm put it. */
function archivePath() {
  const require = createRequire(import.meta.url);
  let folder = dirname(require.resolve('@sparticuz/chromium'));
  while (!existsSync(join(folder, 'bin', 'swiftshader.tar.br'))) {
    const up = dirname(folder);
    if (up === folder) throw new Error('@sparticuz/chromium holds no bin/swiftshader.tar.br');
    folder = up;
  }
  return join(folder, 'bin', 'swiftshader.tar.br');
}

const isUnpacked = (folder) => FILES.every((file) => existsSync(join(folder, file)));

/** Unpacks into a new folder and renames it, so that another process sees all of it or nothing. */
function unpackInto(folder) {
  if (isUnpacked(folder)) return folder;
  mkdirSync(dirname(folder), { recursive: true });
  const fresh = mkdtempSync(`${folder}.`);
  try {
    const files = readTar(brotliDecompressSync(readFileSync(archivePath()), { maxOutputLength: MAX_ARCHIVE_BYTES }));
    for (const file of FILES) {
      const bytes = files.get(file);
      if (bytes === undefined) throw new Error(`the driver archive lacks ${file}`);
      writeFileSync(join(fresh, file), bytes, { mode: 0o755 });
    }
    try {
      renameSync(fresh, folder);
    } catch (error) {
      if (isUnpacked(folder)) return folder;
      // A half-made folder of an older version stands there: put it aside, then try once more.
      renameSync(folder, `${folder}.old-${randomBytes(4).toString('hex')}`);
      renameSync(fresh, folder);
      if (!isUnpacked(folder)) throw error;
    }
    return folder;
  } finally {
    rmSync(fresh, { recursive: true, force: true });
  }
}

/**
 * Unpacks the driver if needed and returns the variables that a process must be started with to use it
 * (the library path counts only when set before the start). Empty on systems where the bundled driver does not run.
 */
export function softwareDriverEnvironment() {
  if (process.platform !== 'linux' || process.arch !== 'x64') return {};
  let folder;
  try {
    folder = unpackInto(join(ROOT, 'node_modules', '.cache', 'warpshrew-software-gpu'));
  } catch (error) {
    if (!['EACCES', 'EROFS', 'EPERM', 'ENOENT', 'ENOTDIR'].includes(error.code)) throw error;
    folder = unpackInto(join(tmpdir(), `warpshrew-software-gpu-${userInfo().uid}`));
    // Anyone may create that name first: never load a stranger's library.
    if (lstatSync(folder).uid !== userInfo().uid) throw new Error(`${folder} belongs to another user: remove it`);
  }
  const libraries = [folder, process.env.LD_LIBRARY_PATH].filter(Boolean).join(delimiter);
  return { LD_LIBRARY_PATH: libraries, VK_DRIVER_FILES: join(folder, MANIFEST) };
}

/** Whether this process was started with {@link softwareDriverEnvironment}. */
export function hasSoftwareDriverEnvironment() {
  return basename(process.env.VK_DRIVER_FILES ?? '') === MANIFEST;
}

/** Runs `command` with `environment` added; resolves with the exit status (128 + signal number if killed). */
export function runWith(environment, command, args) {
  return new Promise((resolve, reject) => {
    const path = [join(ROOT, 'node_modules', '.bin'), process.env.PATH].filter(Boolean).join(delimiter);
    const child = spawn(command, args, { stdio: 'inherit', env: { ...process.env, PATH: path, ...environment } });
    const forward = (signal) => child.kill(signal);
    process.on('SIGINT', forward).on('SIGTERM', forward);
    child.on('error', reject);
    child.on('exit', (status, signal) => {
      process.off('SIGINT', forward).off('SIGTERM', forward);
      resolve(signal === null ? status : 128 + (constants.signals[signal] ?? 0));
    });
  });
}

async function main([command, ...args]) {
  if (command === undefined) {
    console.error('usage: npm run software-gpu -- COMMAND [ARGUMENTS]');
    return 2;
  }
  try {
    return await runWith(process.env.WARPSHREW_GPU === 'hardware' ? {} : softwareDriverEnvironment(), command, args);
  } catch (error) {
    console.error(`software-gpu: ${error.message}`);
    return error.code === 'ENOENT' ? 127 : 5;
  }
}

if (process.argv[1] !== undefined && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2));
}
