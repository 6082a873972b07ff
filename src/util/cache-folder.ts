import { lstatSync, mkdirSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import { EnvironmentError } from '../errors/errors.js';

/** System errors for which another place is tried. */
const NOT_THERE: ReadonlySet<string | undefined> = new Set(['EACCES', 'EROFS', 'EPERM', 'ENOENT', 'ENOTDIR', 'EEXIST']);

/**
 * The folder for what can be made again: `$XDG_CACHE_HOME/warpshrew`, else `~/.cache/warpshrew`, else, where neither
 * can be written, one in the folder for temporary files. It belongs to this user: code is loaded from it.
 *
 * @throws EnvironmentError ENV_NO_CACHE where no such folder can be made.
 */
export function cacheFolder(): string {
  const places = candidates();
  for (const folder of places) if (isOurs(folder)) return folder;
  throw new EnvironmentError('ENV_NO_CACHE', 'no folder for cached files can be made', {
    facts: { tried: places.join(', ') },
    hint: 'Let XDG_CACHE_HOME name a folder that this user owns and may write to.',
  });
}

function candidates(): string[] {
  const xdg = process.env.XDG_CACHE_HOME;
  const temporary = join(tmpdir(), `warpshrew-cache-${userId()}`);
  return [xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir(), '.cache'), temporary].map((place) =>
    place === temporary ? place : join(place, 'warpshrew'),
  );
}

/** Anyone may have made a folder of that name: it counts only if it is this user's. */
function isOurs(folder: string): boolean {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    const found = lstatSync(folder);
    return found.isDirectory() && (process.getuid === undefined || found.uid === process.getuid());
  } catch (error) {
    if (NOT_THERE.has((error as NodeJS.ErrnoException).code)) return false;
    throw error;
  }
}

function userId(): string {
  return String(process.getuid?.() ?? 'user');
}
