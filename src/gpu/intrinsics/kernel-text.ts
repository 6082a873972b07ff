import { readFileSync } from 'node:fs';

const texts = new Map<string, string>();

/** The WGSL text `kernels/<name>.wgsl`. The folder lies beside `src` and `dist` alike. */
export function kernelText(name: string): string {
  let text = texts.get(name);
  if (text === undefined) {
    text = readFileSync(new URL(`../../../kernels/${name}.wgsl`, import.meta.url), 'utf8');
    texts.set(name, text);
  }
  return text;
}
