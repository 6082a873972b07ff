// What `warpshrew doctor` says in situations that operators meet, run for real: docs/doctor.md is made of it.
//   node scripts/doctor-transcripts.mjs [--only NAME]     after `npm run build`; NAME: node-down, no-loader, software,
//                                                         broken-database or hardware
// A situation that cannot be had on this machine keeps the transcript that the page has: `hardware` needs a GPU, and
// `no-loader` a system without the Vulkan loader, or `unshare` and the right to mount.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { doctorPage, SITUATIONS, transcriptIn, transcriptOf } from './doctor-situations.mjs';

const PAGE = fileURLToPath(new URL('../docs/doctor.md', import.meta.url));
const { values } = parseArgs({ options: { only: { type: 'string' } } });

function pageBefore() {
  try {
    return readFileSync(PAGE, 'utf8');
  } catch {
    return '';
  }
}

const before = pageBefore();
const transcripts = new Map();
for (const { name } of SITUATIONS) {
  const wanted = values.only === undefined || values.only === name;
  const made = wanted ? await transcriptOf(name) : undefined;
  const text = made ?? transcriptIn(before, name);
  console.log(`${name}: ${made !== undefined ? 'made' : text !== undefined ? 'kept' : 'not to be had here'}`);
  if (text !== undefined) transcripts.set(name, text);
}
writeFileSync(PAGE, doctorPage(transcripts));
