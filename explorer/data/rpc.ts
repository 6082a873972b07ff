/** The server that the page came from. */
import { WarpshrewClient } from '../../src/client/client.js';

export const rpc = new WarpshrewClient(`${location.origin}/`, { fetch: (...request) => fetch(...request) });
