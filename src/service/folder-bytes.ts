import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** Bytes of the files that lie directly in a folder; files that disappear meanwhile do not count. */
export async function folderBytes(folder: string): Promise<number> {
  const names = await readdir(folder).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        (file) => (file.isFile() ? file.size : 0),
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
