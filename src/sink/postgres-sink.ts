/** The tables in a PostgreSQL database, and the one transaction in which they and their place change. */
import postgres from 'postgres';
import { EnvironmentError } from '../errors/errors.js';
import type { BlockTables } from '../export/block-tables.js';
import { jsonLine } from '../export/table-file.js';
import { TABLE_NAMES, TABLES, type TableName } from '../export/tables.js';
import type { StoreIdentity } from '../store/types.js';
import { toDisplayHash } from '../util/bytes.js';
import { breaksConnection, sinkError } from './sink-errors.js';
import { creation, insertion, PLACE_TABLE, quoted, SINK_VERSION, tableIn, VERSIONS } from './sink-schema.js';

/** The last block whose rows are there; `hash`: display order. */
export interface SinkPlace {
  readonly height: number;
  readonly hash: string;
}

/** What one transaction wrote. */
export interface Written {
  readonly blocks: number;
  readonly rows: number;
}

const CONNECT_SECONDS = 10;
/** For one statement of some megabytes, by the server; a server that says nothing at all is given up a little later. */
const STATEMENT_MS = 300_000;
const SILENT_MS = 360_000;
const LOOK_MS = 10_000;
/** For another sink on the same tables, and for a connection of one that is gone without a word. */
const LOCK_MS = 30_000;
const IDLE_MS = 60_000;
const END_SECONDS = 5;
/** Characters of rows that are sent at once. */
const CHUNK_LENGTH = 4 << 20;
/** A transaction ends after a block with which it has so many rows, or characters of them. */
const MOST_ROWS = 20_000;
const MOST_LENGTH = 16 << 20;

/** Gives the rows that a statement has. */
type Ask = (text: string, values?: (string | number)[]) => Promise<readonly postgres.Row[]>;

/** Thrown inside a transaction that is to leave nothing. */
class NotNow extends Error {}

export class PostgresSink {
  readonly #sql: postgres.Sql;
  readonly #schema: string;
  /** Whether its connection was lost. */
  readonly #lost: () => boolean;
  #place: SinkPlace | undefined;
  /** When it answered last, or was asked first. */
  #heard = 0;

  private constructor(sql: postgres.Sql, schema: string, lost: () => boolean) {
    this.#sql = sql;
    this.#schema = schema;
    this.#lost = lost;
  }

  /**
   * Connects, and makes schema and tables if they are not there. Throws EnvironmentError SINK_AWAY, SINK_REFUSED,
   * SINK_FAILED, SINK_SCHEMA or SINK_OTHER_INDEX, as its methods throw the first three.
   */
  static async open(url: string, schema: string, identity: StoreIdentity): Promise<PostgresSink> {
    let isLost = false;
    const sql = postgres(url, {
      max: 1,
      connect_timeout: CONNECT_SECONDS,
      max_lifetime: null,
      // Nothing is asked of it but what is asked here.
      fetch_types: false,
      prepare: false,
      onnotice: () => undefined,
      onclose: () => {
        isLost = true;
      },
      connection: {
        application_name: 'warpshrew',
        client_min_messages: 'warning',
        statement_timeout: STATEMENT_MS,
        lock_timeout: LOCK_MS,
        idle_in_transaction_session_timeout: IDLE_MS,
      },
    });
    const sink = new PostgresSink(sql, schema, () => isLost);
    try {
      await sink.#transaction((ask) => sink.#prepare(ask, identity));
      return sink;
    } catch (error) {
      await sink.close();
      throw error;
    }
  }

  /** Undefined: there is no block. */
  get place(): SinkPlace | undefined {
    return this.#place;
  }

  /** The blocks that are there from `height` down, at most `count` of them, the highest first. */
  async blocksFrom(height: number, count: number): Promise<SinkPlace[]> {
    const text = `select height, hash from ${this.#table('blocks')} where height <= $1 order by height desc limit $2`;
    const rows = await this.#answered(this.#sql.unsafe(text, [height, count]));
    return rows.map(placeOf);
  }

  /** Deletes the rows of all blocks above `place`; false, and nothing is changed, if another sink has moved. */
  async undo(place: SinkPlace): Promise<boolean> {
    return this.#move(async (ask) => {
      for (const table of TABLE_NAMES) {
        await ask(`delete from ${this.#table(table)} where height > $1`, [place.height]);
      }
      return place;
    });
  }

  /**
   * Writes the next blocks, all or none, until there are rows enough. Undefined, and nothing is changed, if another
   * sink has moved, or if a block is not there any more, as `isThere` of the blocks or `isSame` say at the end. `next`
   * gives undefined behind the last block.
   */
  async write(next: () => Promise<BlockTables | undefined>, isSame: () => boolean): Promise<Written | undefined> {
    let [blocks, rows] = [0, 0];
    const done = await this.#move(async (ask) => {
      const chunks = new Chunks(async (table, text) => void (await ask(insertion(this.#schema, table), [text])));
      const isThere: (() => boolean)[] = [];
      let last = this.#place;
      while (chunks.rows < MOST_ROWS && chunks.length < MOST_LENGTH) {
        const block = await next();
        if (block === undefined) break;
        this.#heard = performance.now();
        await chunks.add(block);
        isThere.push(block.isThere);
        last = { height: block.height, hash: toDisplayHash(block.hash) };
        blocks++;
      }
      await chunks.flush();
      rows = chunks.rows;
      if (last === undefined || !isSame() || !isThere.every((asked) => asked())) throw new NotNow();
      return last;
    });
    return done ? { blocks, rows } : undefined;
  }

  /** Ends the connection, whatever it is doing. */
  async close(): Promise<void> {
    await this.#sql.end({ timeout: END_SECONDS }).catch(() => undefined);
  }

  /** Changes the place together with what `act` does, if it is where it was; `act` gives the new one. */
  async #move(act: (ask: Ask) => Promise<SinkPlace>): Promise<boolean> {
    const from = this.#place;
    try {
      const to = await this.#transaction(async (ask) => {
        const [row] = await ask(`select height, hash from ${this.#table(PLACE_TABLE)} for update`);
        const there = row === undefined || row.height === null ? undefined : placeOf(row);
        if (row === undefined || there?.height !== from?.height || there?.hash !== from?.hash) throw new NotNow();
        const place = await act(ask);
        const text = `update ${this.#table(PLACE_TABLE)} set height = $1, hash = $2, updated = now()`;
        await ask(text, [place.height, place.hash]);
        return place;
      });
      this.#place = to;
      return true;
    } catch (error) {
      if (error instanceof NotNow) return false;
      throw error;
    }
  }

  /**
   * Runs `act` in a transaction. Where the connection is lost meanwhile, `act` ends nowhere: the client would send a
   * rollback over a socket that is gone, and end the process; that the connection is lost ends the transaction.
   */
  #transaction<T>(act: (ask: Ask) => Promise<T>): Promise<T> {
    const begun = this.#sql.begin(async (tx) => {
      const ask: Ask = async (text, values) => {
        if (this.#lost()) return never();
        const rows = await tx.unsafe(text, values);
        this.#heard = performance.now();
        return rows;
      };
      try {
        return await act(ask);
      } catch (error) {
        if (this.#lost() || breaksConnection(error)) return never();
        throw error;
      }
    });
    return this.#answered(begun as Promise<T>);
  }

  #table(table: TableName | typeof PLACE_TABLE): string {
    return tableIn(this.#schema, table);
  }

  async #prepare(ask: Ask, identity: StoreIdentity): Promise<void> {
    const schema = this.#schema;
    await ask('select pg_advisory_xact_lock(hashtext($1))', [`warpshrew ${schema}`]);
    const found = await ask(`select table_name from information_schema.tables where table_schema = $1`, [schema]);
    const names = new Set(found.map(({ table_name }) => String(table_name)));
    const wanted = { ...VERSIONS, ...factsOf(identity) };
    if (!names.has(PLACE_TABLE)) {
      const other = TABLE_NAMES.find((table) => names.has(table));
      if (other !== undefined) throw wrongSchema(schema, { table: other });
      await ask(`create schema if not exists ${quoted(schema)}`);
      for (const statement of creation(schema)) await ask(statement);
      const columns = Object.keys(wanted);
      const values = columns.map((_, i) => `$${i + 1}`).join(', ');
      const into = `${this.#table(PLACE_TABLE)} (${columns.join(', ')})`;
      await ask(`insert into ${into} values (${values})`, Object.values(wanted));
      return;
    }
    const columns = await ask(
      'select column_name from information_schema.columns where table_schema = $1 and table_name = $2',
      [schema, PLACE_TABLE],
    );
    const has = new Set(columns.map(({ column_name }) => String(column_name)));
    if (!['version', 'height', 'hash', ...Object.keys(wanted)].every((name) => has.has(name))) {
      throw wrongSchema(schema, { table: PLACE_TABLE });
    }
    const [row] = await ask(`select * from ${this.#table(PLACE_TABLE)}`);
    if (row === undefined) throw wrongSchema(schema, { table: PLACE_TABLE });
    for (const [name, value] of Object.entries(wanted)) {
      if (String(row[name]) === String(value)) continue;
      const facts = { schema, what: name, there: String(row[name]), wanted: value };
      if (name in VERSIONS) throw wrongSchema(schema, facts);
      throw new EnvironmentError('SINK_OTHER_INDEX', 'the tables of the sink were made from another index', {
        facts,
        hint: 'Nothing was changed. Name another schema with --sink-schema.',
      });
    }
    this.#place = row.height === null ? undefined : placeOf(row);
  }

  /** What the server answers. Throws as {@link open} does. */
  async #answered<T>(asked: Promise<T>): Promise<T> {
    this.#heard = performance.now();
    const watch = setInterval(() => {
      if (performance.now() - this.#heard > SILENT_MS) void this.#sql.end({ timeout: 0 });
    }, LOOK_MS);
    try {
      return await asked;
    } catch (error) {
      if (error instanceof NotNow) throw error;
      throw sinkError(error);
    } finally {
      clearInterval(watch);
    }
  }
}

/** Rows on their way, table by table, so that no more than one chunk of them is in memory. */
class Chunks {
  rows = 0;
  /** Characters of all rows. */
  length = 0;
  readonly #send: (table: TableName, text: string) => Promise<void>;
  readonly #waiting = new Map<TableName, string[]>();
  #waitingLength = 0;

  constructor(send: (table: TableName, text: string) => Promise<void>) {
    this.#send = send;
  }

  async add(block: BlockTables): Promise<void> {
    for (const table of TABLE_NAMES) {
      const { columns } = TABLES[table];
      for (const row of block.rows(table)) {
        const line = jsonLine(row, columns);
        const lines = this.#waiting.get(table) ?? [];
        this.#waiting.set(table, lines);
        lines.push(line);
        this.rows++;
        this.length += line.length;
        this.#waitingLength += line.length;
        if (this.#waitingLength >= CHUNK_LENGTH) await this.flush();
      }
    }
  }

  async flush(): Promise<void> {
    for (const [table, lines] of this.#waiting) await this.#send(table, `[${lines.join(',')}]`);
    this.#waiting.clear();
    this.#waitingLength = 0;
  }
}

function never(): Promise<never> {
  return new Promise(() => undefined);
}

function placeOf(row: postgres.Row): SinkPlace {
  return { height: Number(row.height), hash: String(row.hash) };
}

function factsOf({ network, moduleHash, laneStartHeight, dependent, rules }: StoreIdentity) {
  return { network, module_hash: moduleHash, lane_start_height: laneStartHeight, dependent, rules };
}

function wrongSchema(schema: string, facts: Readonly<Record<string, string | number>>): EnvironmentError {
  return new EnvironmentError('SINK_SCHEMA', 'the schema of the sink holds other tables, or another version of them', {
    facts: { schema, ...facts, ours: SINK_VERSION },
    hint: 'Nothing was changed. Name another schema with --sink-schema, or drop this one: it is filled again.',
  });
}
