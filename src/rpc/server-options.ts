import type { RpcCode } from '../errors/codes/registry.js';
import type { RpcBackend } from './backend.js';
import type { ChangeBell } from './change-bell.js';
import type { Answered } from './dispatch.js';
import type { StaticFile } from './static-files.js';

export interface RpcServerOptions {
  readonly host: string;
  /** 0: any free port. */
  readonly port: number;
  readonly backend: RpcBackend;
  /** Requests wait for it; must not reject. For servers that bind their port before they have data to answer from. */
  readonly ready?: Promise<void>;
  /** `*`, or comma-separated origins; if not given, pages of this machine only. */
  readonly cors?: string;
  /**
   * Names that a request may have in `Host`, comma-separated, besides those of this machine and of `host`; `*`: every
   * name.
   */
  readonly allowHost?: string;
  /** Comma-separated addresses of proxies whose `X-Forwarded-For` names the client. */
  readonly trustProxy?: string;
  readonly limits?: RpcLimits;
  /** Called with defects (errors not caused by the user); default: standard error. */
  readonly onDefect?: (error: unknown) => void;
  /** Called for every answered request. */
  readonly onAnswered?: Answered;
  /** Called for refused requests and connections, with their code. */
  readonly onRefused?: (code: RpcCode, facts: Readonly<Record<string, string>>) => void;
  /** Rings when blocks come or go; without it readers of events wait for up to a second. */
  readonly bell?: ChangeBell;
  /** Answers to `GET` by path, besides or instead of `/health`. */
  readonly pages?: Readonly<Record<string, () => Page | Promise<Page>>>;
  /** Files for browsers, by path; that of `/` beside the JSON-RPC of `POST /`. */
  readonly files?: ReadonlyMap<string, StaticFile>;
}

/** Limits on what clients may use of a server. */
export interface RpcLimits {
  /** For a body to arrive, and for an answer to be read (default 15 s). */
  readonly transferTimeoutMs?: number;
  /**
   * For the large bodies held at a time, and separately for the large answers; one client may hold half (default 256
   * MiB).
   */
  readonly memoryBytes?: number;
  /** Connections; one client may have half of them (default 1,024). */
  readonly connections?: number;
}

/** An answer to a `GET`. */
export interface Page {
  readonly status: number;
  /** Content type. */
  readonly type: string;
  readonly body: string;
}
