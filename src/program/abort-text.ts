/** What a program gives to `abort`: for people, no rule depends on it. */
import type { FrameMemory } from './frame-memory.js';

/** Units of UTF-16 that are kept of a message and of the name of a source file. */
const MESSAGE_UNITS = 128;
const FILE_UNITS = 64;

/**
 * The message of an `abort` and where it is in the sources, `message (file:line:column)`: well-formed, some 200 units
 * at most; undefined if the program names neither a message nor a file. As AssemblyScript gives them: buffers of UTF-16
 * LE, 0 for none. A bad pointer is none, for `abort` reads nothing by the rules.
 */
export function abortText(
  memory: FrameMemory,
  message: number,
  file: number,
  line: number,
  column: number,
): string | undefined {
  if (message === 0 && file === 0) return undefined;
  const said = utf16At(memory, message, MESSAGE_UNITS);
  const name = utf16At(memory, file, FILE_UNITS);
  if (name === '') return said === '' ? undefined : said;
  const place = `(${name}:${line >>> 0}:${column >>> 0})`;
  return said === '' ? place : `${said} ${place}`;
}

function utf16At(memory: FrameMemory, pointer: number, units: number): string {
  const bytes = pointer === 0 ? undefined : memory.view(pointer);
  if (bytes === undefined) return '';
  const text = Buffer.from(bytes.subarray(0, 2 * units)).toString('utf16le');
  const whole = bytes.length <= 2 * units ? text : `${text}…`;
  return whole.replace(/\p{Surrogate}/gu, '\ufffd');
}
