// What the last build was made from and what came out, kept in dist/.build.json: by content, since times say little
// after a checkout.
import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, relative, sep } from 'node:path';

export const STAMP = '.build.json';

export const hashOf = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** Every file under `path` (or `path` itself), relative to `base`, with slashes, sorted. */
export function filesUnder(base, path = base) {
  if (!existsSync(path)) return [];
  if (statSync(path).isFile()) return [relative(base, path).split(sep).join('/')];
  return readdirSync(path, { withFileTypes: true })
    .flatMap((entry) => {
      const child = join(path, entry.name);
      return entry.isDirectory() ? filesUnder(base, child) : [relative(base, child).split(sep).join('/')];
    })
    .sort();
}

/** What the last build recorded, by step; empty if there is nothing that can be read. */
export function readStamp(dist) {
  try {
    const steps = JSON.parse(readFileSync(join(dist, STAMP), 'utf8'));
    return typeof steps === 'object' && steps !== null ? steps : {};
  } catch {
    return {};
  }
}

export function writeStamp(dist, steps) {
  const fresh = join(dist, `${STAMP}.${process.pid}`);
  writeFileSync(fresh, `${JSON.stringify(steps, undefined, 1)}\n`);
  renameSync(fresh, join(dist, STAMP));
}

function inputsHash(root, { inputs, tools }) {
  const hash = createHash('sha256');
  const require = createRequire(join(root, 'package.json'));
  for (const tool of tools) hash.update(`${tool} ${require(`${tool}/package.json`).version}\n`);
  for (const input of inputs) {
    for (const file of filesUnder(root, join(root, input))) {
      hash.update(`${file} ${hashOf(readFileSync(join(root, file)))}\n`);
    }
  }
  return hash.digest('hex');
}

/**
 * A step with the hash of its inputs, the files of its last run by name, and whether those are what it would write
 * again. What was written without a check of types is good enough only for another build that is `unchecked`.
 */
export function stepState(root, dist, step, stamp, unchecked) {
  const inputs = inputsHash(root, step);
  const last = stamp[step.name];
  const files = last?.files ?? {};
  const isThere = ([file, hash]) => existsSync(join(dist, file)) && hashOf(readFileSync(join(dist, file))) === hash;
  const isChecked = !step.checks || unchecked || last?.checked === true;
  const fresh = last?.inputs === inputs && isChecked && Object.entries(files).every(isThere);
  return { step, inputs, files, checked: fresh ? last.checked : step.checks && !unchecked, fresh };
}
