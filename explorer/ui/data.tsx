import type { JSX } from 'preact';
import { amount, brief, bytes as bytesText, whole } from '../data/format.js';
import { numberOf, textOf } from '../data/keys.js';

/** Hex digits that are shown at each end. */
const SHOWN = 32;

/** Bytes, as hex, and as the text or number that they may be. `bytes`: how many there are; `hex` may be the first. */
export function Data({ hex, bytes }: { hex: string; bytes: number }): JSX.Element {
  if (bytes === 0) return <span class="quiet">empty</span>;
  const isWhole = hex.length === 2 * bytes;
  const text = textOf(hex);
  const number = isWhole ? numberOf(hex) : undefined;
  return (
    <span class="data">
      <code title={hex.length <= 2_048 ? `0x${hex}` : undefined}>0x{brief(hex, SHOWN)}</code>
      {text !== undefined && <span class="quiet">"{brief(text, SHOWN)}"</span>}
      {text === undefined && number !== undefined && <span class="quiet">{amount(number)}</span>}
      {!isWhole && (
        <span class="quiet">
          the first {whole(hex.length / 2)} of {bytesText(bytes)}
        </span>
      )}
    </span>
  );
}
