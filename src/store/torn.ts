/** What a crash left of a block that does not count. */
import type { Database } from './database.js';
import { takeBackPieces } from './pieces.js';
import type { WriteBatch } from './portions.js';
import { takeBackReceipts } from './receipt-writes.js';

/** Takes it back, whatever it is. It may end at any write: the next call goes on. Throws StoreError STORE_CORRUPT. */
export function takeBackTorn(database: Database, write: WriteBatch, pieceBytes?: number): void {
  takeBackReceipts(database, write, pieceBytes);
  takeBackPieces(database, write, pieceBytes);
}
