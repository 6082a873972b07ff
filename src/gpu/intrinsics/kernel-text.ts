import { readFileSync } from 'node:fs';
import { shipped } from '../../util/shipped.js';

const texts = new Map<string, string>();

/** The WGSL text `kernels/<name>.wgsl`. The folder lies beside `src` and `dist` alike. */
export function kernelText(name: string): string {
  let text = texts.get(name);
  if (text === undefined) {
    text = readFileSync(shipped(`kernels/${name}.wgsl`), 'utf8');
    texts.set(name, text);
  }
  return text;
}
