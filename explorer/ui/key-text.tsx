import type { JSX } from 'preact';
import { brief } from '../data/format.js';
import { decodeKey, ownText } from '../data/keys.js';
import { ContractLink, OutputLink } from './parts.js';

/** Characters of a key that are shown at each end. */
const SHOWN = 24;

/** A key of the lane, decoded, with links to what it is about. */
export function KeyText({ hex }: { hex: string }): JSX.Element {
  const key = decodeKey(hex);
  switch (key.kind) {
    case 'storage':
      return (
        <span>
          storage of <ContractLink id={key.contract} />{' '}
          <code title={`0x${key.own}`}>{brief(ownText(key.own), SHOWN)}</code>
        </span>
      );
    case 'balance':
      return (
        <span>
          balance of <ContractLink id={key.holder} /> in <ContractLink id={key.asset} />
        </span>
      );
    case 'sheet':
      return (
        <span>
          assets of output <OutputLink outpoint={key.outpoint} />
        </span>
      );
    case 'code':
      return (
        <span>
          code of <ContractLink id={key.contract} />
        </span>
      );
    case 'sequence':
      return <span>next sequence number</span>;
    case 'other':
      return <code title={`0x${key.hex}`}>0x{brief(key.hex, SHOWN)}</code>;
  }
}
