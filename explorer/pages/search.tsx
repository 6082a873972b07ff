import type { JSX } from 'preact';
import { Card } from '../ui/parts.js';

export function SearchPage({ text }: { text: string }): JSX.Element {
  return (
    <>
      <h1>Nothing found</h1>
      <Card title="What was searched for">
        <p>
          <code class="wrap">{text === '' ? 'nothing' : text}</code>
        </p>
        <p>The explorer finds:</p>
        <ul class="plain-list">
          <li>a block by its height, or by the hash of one of the newest 2,000</li>
          <li>a transaction of the parallel lane by its txid (64 hex digits)</li>
          <li>
            a contract or asset by its id, such as <code>2:1</code>
          </li>
          <li>an output by txid and number, with a colon between them</li>
          <li>contracts by the SHA-256 of their code</li>
          <li>an address, or a script in hex or by its SHA-256, where the server keeps an index by address</li>
        </ul>
      </Card>
    </>
  );
}
