import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { useLoad } from '../data/load.js';
import { Failed, Shown } from './parts.js';
import { type Column, Table } from './table.js';

interface Page<T> {
  readonly items: readonly T[];
  readonly cursor: string | null;
}

interface PagesProps<T> {
  readonly label: string;
  /** What is listed: another value begins anew. */
  readonly of: string;
  /** Another value begins anew, too, and keeps what is shown until that is there. */
  readonly version?: number;
  readonly load: (cursor: string | undefined) => Promise<Page<T>>;
  readonly columns: readonly Column<T>[];
  readonly keyOf: (row: T) => string | number;
  readonly empty: string;
}

/** A listing of the server: its first page, and the next one whenever it is asked for. */
export function Pages<T>({ of, version, load, ...table }: PagesProps<T>): JSX.Element {
  const first = useLoad(of, () => load(undefined), version);
  const [more, setMore] = useState<readonly Page<T>[]>([]);
  const [error, setError] = useState<unknown>();
  const [isLoading, setLoading] = useState(false);
  const { value } = first;
  // Another first page begins anew.
  useEffect(() => setMore([]), [value]);
  const last = more.at(-1) ?? value;
  const next = async (cursor: string): Promise<void> => {
    setLoading(true);
    setError(undefined);
    try {
      const page = await load(cursor);
      setMore((before) => [...before, page]);
    } catch (failure) {
      setError(failure);
    }
    setLoading(false);
  };
  const cursor = last?.cursor ?? null;
  return (
    <Shown loaded={first}>
      {({ items }) => {
        const rows = [...items, ...more.flatMap((page) => page.items)];
        return (
          <>
            {(rows.length > 0 || cursor === null) && <Table {...table} rows={rows} />}
            {error !== undefined && <Failed error={error} />}
            {cursor !== null && (
              <p class="more">
                <button type="button" disabled={isLoading} onClick={() => void next(cursor)}>
                  {isLoading ? 'Loading …' : 'Load more'}
                </button>
              </p>
            )}
          </>
        );
      }}
    </Shown>
  );
}
