/**
 * Ends the program with one line where Node.js is too old: whatever it would fail with later says less. To be imported
 * before everything else, and to import nothing itself.
 */

/** As `engines` in package.json says. */
const LEAST = [20, 11] as const;

/** What to say of a version, `20.11.0`; undefined if it is new enough. */
export function tooOld(version: string): string | undefined {
  const [major, minor] = version.split('.').map(Number);
  if (major > LEAST[0] || (major === LEAST[0] && minor >= LEAST[1])) return undefined;
  return `warpshrew needs Node.js ${LEAST.join('.')} or newer: this is ${version}`;
}

const complaint = tooOld(process.versions.node);
if (complaint !== undefined) {
  process.stderr.write(`${complaint}\n`);
  process.exit(5);
}
