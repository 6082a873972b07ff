import { readFile, stat } from 'node:fs/promises';
import { NodeError } from '../errors/errors.js';

/** Far more than `__cookie__:` and 64 digits. */
const MAX_COOKIE_BYTES = 4096;

export interface CredentialOptions {
  readonly user?: string;
  readonly password?: string;
  /** A token instead of user and password, as proxies in front of a node take it. */
  readonly bearer?: string;
  /**
   * The node's `.cookie`: `user:password`, rewritten at each start of the node. Takes precedence over the
   * others.
   */
  readonly cookieFile?: string;
}

/** Credentials as currently configured; undefined if the configuration cannot be read at the moment. */
export type Reread = () => CredentialOptions | undefined;

/** Credentials for the node's JSON-RPC. They never appear in an error or a log. */
export class Credentials {
  // Private fields: no dump of the object shows them.
  #header: string | undefined;
  #cookieFile: string | undefined;
  readonly #reread: Reread | undefined;

  /** `reread`: called to get the configured credentials again. */
  constructor(options: CredentialOptions, reread?: Reread) {
    this.#reread = reread;
    this.#take(options);
  }

  get rereadable(): boolean {
    return this.#cookieFile !== undefined || this.#reread !== undefined;
  }

  #take({ cookieFile, user, password, bearer }: CredentialOptions): void {
    this.#cookieFile = cookieFile;
    this.#header = undefined;
    if (cookieFile !== undefined) return;
    if (bearer !== undefined) this.#header = `Bearer ${bearer}`;
    else if (user !== undefined) this.#header = basic(`${user}:${password ?? ''}`);
  }

  /**
   * Value of the `authorization` header; undefined if there are no credentials. Reads the cookie file once; with
   * `fresh`, it reads the configuration and the cookie file again. Throws NodeError NODE_COOKIE_UNREADABLE.
   */
  async authorization(fresh: boolean): Promise<string | undefined> {
    const configured = fresh ? this.#reread?.() : undefined;
    if (configured !== undefined) this.#take(configured);
    const cookieFile = this.#cookieFile;
    if (cookieFile !== undefined && (fresh || this.#header === undefined))
      this.#header = basic(await readCookie(cookieFile));
    return this.#header;
  }
}

function basic(userAndPassword: string): string {
  return `Basic ${Buffer.from(userAndPassword, 'utf8').toString('base64')}`;
}

async function readCookie(path: string): Promise<string> {
  const unreadable = (why: string, cause?: unknown): NodeError =>
    new NodeError('NODE_COOKIE_UNREADABLE', `the node's cookie file cannot be used: ${why}`, {
      facts: { path },
      hint: 'It is written at the start of the node and deleted at its end: check path, node and permissions.',
      cause,
    });
  let text: string;
  try {
    const info = await stat(path);
    if (!info.isFile() || info.size > MAX_COOKIE_BYTES) throw unreadable('it is no small file');
    text = (await readFile(path, 'utf8')).trim();
  } catch (error) {
    throw error instanceof NodeError ? error : unreadable('it cannot be read', error);
  }
  if (!/^[^:\s]+:[^\s]+$/.test(text)) throw unreadable('it is not of the form user:password');
  return text;
}
