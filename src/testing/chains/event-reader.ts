/** A reader of the events of a server that keeps what they say, and refuses what does not follow from it. */
import { setTimeout } from 'node:timers/promises';

interface Told {
  readonly id: string;
  readonly event: string;
  readonly data: { readonly height: number; readonly hash: string; readonly previous: string; readonly index: number };
}

export class Reader {
  readonly hashes = new Map<number, string>();
  receipts: string[] = [];
  undone = 0;
  last: string | undefined;

  /** Throws where an event does not follow from those before it. */
  hear({ id, event, data }: Told): void {
    this.last = id;
    if (event === 'undone') {
      this.undone++;
      for (const height of [...this.hashes.keys()]) if (height > data.height) this.hashes.delete(height);
      this.receipts = this.receipts.filter((one) => Number(one.split(':')[0]) <= data.height);
      return;
    }
    if (event === 'receipt') {
      const name = `${data.height}:${data.index}`;
      if (this.receipts.includes(name) || !this.hashes.has(data.height)) throw new Error(`receipt ${name} out of turn`);
      this.receipts.push(name);
      return;
    }
    const before = this.hashes.get(data.height - 1);
    if (this.hashes.has(data.height) || (before !== undefined && before !== data.previous)) {
      throw new Error(`block ${data.height} does not follow`);
    }
    this.hashes.set(data.height, data.hash);
  }
}

/** Reads a stream into `reader` until `isEnough`, which is asked again and again, says so; then breaks it off. */
export async function readStream(url: string, reader: Reader, isEnough: () => boolean): Promise<void> {
  const ended = new AbortController();
  const headers: Record<string, string> = reader.last === undefined ? {} : { 'last-event-id': reader.last };
  let answer = await fetch(url, { headers, signal: ended.signal });
  // On a busy machine the server learns late that earlier streams were broken off.
  while (answer.status === 503) {
    await answer.arrayBuffer();
    await setTimeout(20);
    answer = await fetch(url, { headers, signal: ended.signal });
  }
  if (answer.status !== 200 || answer.body === null) throw new Error(`status ${answer.status}: ${await answer.text()}`);
  const look = setInterval(() => {
    if (isEnough()) ended.abort();
  }, 2);
  const body = answer.body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  try {
    for (;;) {
      const { value, done } = await body.read();
      if (done) return;
      text += decoder.decode(value, { stream: true });
      for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
        hearText(reader, text.slice(0, end));
        text = text.slice(end + 2);
      }
    }
  } catch (error) {
    if (!ended.signal.aborted) throw error;
  } finally {
    clearInterval(look);
    ended.abort();
  }
}

function hearText(reader: Reader, text: string): void {
  const fields = new Map(
    text.split('\n').map((line) => [line.split(': ', 1)[0], line.slice(line.indexOf(': ') + 2)] as const),
  );
  const id = fields.get('id');
  if (id === undefined) return;
  reader.hear({ id, event: String(fields.get('event')), data: JSON.parse(String(fields.get('data'))) });
}
