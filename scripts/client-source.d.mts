import type { OpenRpcDocument } from '../src/rpc/openrpc/document.js';

/** The generated sources of the client, by path. */
export function clientSources(document: OpenRpcDocument): Readonly<Record<string, string>>;
