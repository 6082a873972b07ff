import { readFile, stat } from 'node:fs/promises';
import { NodeError } from '../errors.js';

/** Far more than `__cookie__:` and 64 digits. */
const MAX_COOKIE_BYTES = 4096;

export interface CredentialOptions {
  readonly user?: string;
  readonly password?: string;
  /** The node's `.cookie`: `user:password`, written anew at each of its starts. Goes before user and password. */
  readonly cookieFile?: string;
}

/** Credentials as they are configured now; undefined if that cannot be read at the moment. */
export type Reread = () => CredentialOptions | undefined;

/** What the node is told to prove who asks. Nothing of it is ever part of an error or a log. */
export class Credentials {
  // Fields that are private to the language: no dump of an object shows them.
  #header: string | undefined;
  #cookieFile: string | undefined;
  readonly #reread: Reread | undefined;

  /** `reread`: asked before credentials are given anew. */
  constructor(options: CredentialOptions, reread?: Reread) {
    this.#reread = reread;
    this.#take(options);
  }

  get rereadable(): boolean {
    return this.#cookieFile !== undefined || this.#reread !== undefined;
  }

  #take({ cookieFile, user, password }: CredentialOptions): void {
    this.#cookieFile = cookieFile;
    this.#header = cookieFile === undefined && user !== undefined ? basic(`${user}:${password ?? ''}`) : undefined;
  }

  /**
   * Value of the `authorization` header; undefined if the node is asked without. Reads the cookie file once; where
   * `fresh` is set, the configuration and the cookie file again. Throws NodeError NODE_COOKIE_UNREADABLE.
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
      hint: 'It is written when the node starts and deleted when it stops: check the path, that the node runs, and that this user may read it.',
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
