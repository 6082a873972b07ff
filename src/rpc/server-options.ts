import type { RpcCode } from '../error-codes/registry.js';
import type { RpcBackend } from './backend.js';
import type { Answered } from './dispatch.js';

export interface RpcServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly backend: RpcBackend;
  /** Requests wait for it; must not reject. For servers that take their port before there is anything to answer from. */
  readonly ready?: Promise<void>;
  /** `*`, or origins with commas; pages of this machine only if not given. */
  readonly cors?: string;
  /** Names that a request may have in `Host`, with commas, beside those of this machine and what it listens on; `*`: every one. */
  readonly allowHost?: string;
  /** Addresses, with commas, of proxies whose `X-Forwarded-For` names the client. */
  readonly trustProxy?: string;
  readonly limits?: RpcLimits;
  /** Told of defects (errors that are none of the user's); standard error if not given. */
  readonly onDefect?: (error: unknown) => void;
  /** Told of every request that was answered. */
  readonly onAnswered?: Answered;
  /** Told of requests and connections that were refused, by code. */
  readonly onRefused?: (code: RpcCode, facts: Readonly<Record<string, string>>) => void;
  /** What `GET` answers by path, beside or instead of `/health`. */
  readonly pages?: Readonly<Record<string, () => Page | Promise<Page>>>;
}

/** What clients may take of a server. */
export interface RpcLimits {
  /** For a body to arrive, and for an answer to be taken (default 15 s). */
  readonly transferTimeoutMs?: number;
  /** For the large bodies held at a time, and again for the large answers; one client has half of it at most (default 256 MiB). */
  readonly memoryBytes?: number;
  /** Connections; one client has half of them at most (default 1,024). */
  readonly connections?: number;
}

/** An answer to a `GET`. */
export interface Page {
  readonly status: number;
  /** Content type. */
  readonly type: string;
  readonly body: string;
}
