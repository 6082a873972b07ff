// The real command in situations that operators meet: what docs/doctor.md shows of it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import {
  doctorPage,
  SITUATIONS,
  transcriptIn,
  transcriptOf,
  withoutWhatVaries,
} from '../../scripts/doctor-situations.mjs';
import { ROOT } from '../helpers/cli.js';

const page = readFileSync(join(ROOT, 'docs/doctor.md'), 'utf8');
const shown = (name: string): string => transcriptIn(page, name) ?? '';

/** A line of each transcript without which it is none of its situation. */
const TELLS: Readonly<Record<string, RegExp>> = {
  'node-down': /^FAIL {2}node: JSON-RPC .* NODE_UNREACHABLE: .*\n {8}Check that it runs/m,
  'no-loader': /^WARN {2}gpu: adapter .* \(libvulkan\.so\.1\) is not installed; .*\n {8}Install it/m,
  software: /^WARN {2}gpu: adapter .* a software driver\n(?:.*\n)ok {4}gpu: kernel .* each as on the CPU$/m,
  hardware: /^ok {4}gpu: adapter .*\nok {4}gpu: kernel .* each as on the CPU$/m,
  'broken-database': /^FAIL {2}database: folder .* STORE_OPEN_FAILED: .*\n {8}If the files are damaged/m,
};

describe('doctor', () => {
  it.for(SITUATIONS)(
    '$title: says what the page shows (if not: node scripts/doctor-transcripts.mjs)',
    async ({ name }, { skip }) => {
      const text = await transcriptOf(name);
      if (text === undefined) return skip('this machine is in no such situation');
      expect(text).toMatch(TELLS[name]);
      expect(text).toBe(shown(name));
    },
  );
});

describe('docs/doctor.md', () => {
  it('has the situations that any machine may be in, and is made of its transcripts', () => {
    const found = SITUATIONS.flatMap(({ name }): [string, string][] =>
      transcriptIn(page, name) === undefined ? [] : [[name, shown(name)]],
    );
    for (const name of ['node-down', 'no-loader', 'software', 'broken-database'])
      expect(found.map(([own]) => own)).toContain(name);
    for (const [name, text] of found) expect(text).toMatch(TELLS[name]);
    expect(doctorPage(new Map(found))).toBe(page);
  });

  it('leaves out what is of one machine, and counts what is left', () => {
    const stdout = [
      'ok    program: machine        7 cores, 9 MiB of memory',
      'WARN  database: space         1.5 GiB are free',
      '        Make room.',
      'FAIL  database: folder        /x/db: broken',
      '        Mend it.',
      '1 failures, 1 warnings',
      '',
    ].join('\n');
    expect(withoutWhatVaries(stdout, '/x/db').split('\n')).toEqual([
      'ok    program: machine        N cores, N MiB of memory',
      'ok    database: space         N GiB are free',
      'FAIL  database: folder        /var/lib/warpshrew/db: broken',
      '        Mend it.',
      '1 failures, 0 warnings',
    ]);
  });
});
