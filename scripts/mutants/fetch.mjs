// Snapshots that are fetched.
import { inFile } from './in-file.mjs';

const TEST = 'test/store/fetch.test.ts';
const fetched = inFile('src/store/snapshot/fetch.ts', TEST);
const source = inFile('src/store/snapshot/source.ts', TEST);
const ending = inFile('src/store/snapshot/ending.ts', TEST, 'test/store/snapshot.test.ts');

export const FETCH = [
  ending(
    'fetch-hash-unseen',
    'if (sha256 === chunk.sha256) return;',
    "if (chunk.sha256 !== '') return;",
    'an altered chunk is kept',
  ),
  ending(
    'fetch-signature-unseen',
    'if (!verify(null,',
    'if (signature.length === 1 && !verify(null,',
    'any signature is good',
  ),
  fetched(
    'fetch-root-unseen',
    'manifest.stateRoot !== stateRoot) {',
    'manifest.stateRoot === undefined) {',
    'a snapshot of another state is fetched',
  ),
  fetched(
    'fetch-part-believed',
    "if (!isThere || createHash('sha256').update(this.#read(at, stored)).digest('hex') !== sha256) {",
    'if (!isThere) {',
    'what an earlier fetch left is kept unverified',
  ),
  fetched(
    'fetch-never-again',
    'if (!(error instanceof Interrupted)) throw error;',
    'throw error;',
    'a lost connection ends it',
  ),
  source(
    'fetch-other-part',
    "if (!response.headers.get('content-range')?.startsWith(wanted)) this.#noParts();",
    '',
    'another part than the one asked for is taken',
  ),
];
