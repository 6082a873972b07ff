import { type Translation, translateProgram } from '../../src/gpu/translate/module.js';
import { prepareProgram } from '../../src/program/prepare.js';
import { wat } from '../helpers/wat.js';

const WINDOW = { bytes: 8192, place: 'private' } as const;

/** Translates a module written in WebAssembly text. */
export function translate(text: string): Translation {
  return translateProgram(prepareProgram(wat(text)), WINDOW);
}

/** The part of its kernel that was translated: globals and functions, without the texts of kernels/. */
export function ownText(text: string): string {
  const translation = translate(text);
  if (!translation.ok) throw new Error(translation.reason);
  const { wgsl } = translation.kernel;
  const functions = wgsl.slice(wgsl.search(/^fn f\d/m), wgsl.indexOf('// One invocation per message'));
  return [...(wgsl.match(/^var<private> [gw]\w+: .*$/gm) ?? []), functions].join('\n');
}
