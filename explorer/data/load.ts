import { useEffect, useRef, useState } from 'preact/hooks';

/** Something that is being fetched, was, or could not be. */
export interface Loaded<T> {
  /** What was fetched last for the same key, while it is fetched again too. */
  readonly value: T | undefined;
  readonly error: unknown;
  readonly isLoading: boolean;
}

/**
 * What `load` gives for `key`. It is asked again when the key changes, which forgets the value, and when `version`
 * does, which keeps it until the new one is there.
 */
export function useLoad<T>(key: string, load: () => Promise<T>, version = 0): Loaded<T> {
  const [loaded, setLoaded] = useState<Loaded<T> & { readonly key: string }>({
    key,
    value: undefined,
    error: undefined,
    isLoading: true,
  });
  const latest = useRef(load);
  latest.current = load;
  // A new version asks again.
  useEffect(() => {
    let wanted = true;
    const settle = (value: T | undefined, error: unknown): void => {
      if (wanted) setLoaded({ key, value, error, isLoading: false });
    };
    setLoaded((before) => ({
      key,
      value: before.key === key ? before.value : undefined,
      error: undefined,
      isLoading: true,
    }));
    latest.current().then(
      (value) => settle(value, undefined),
      (error: unknown) => settle(undefined, error),
    );
    return () => {
      wanted = false;
    };
  }, [key, version]);
  return loaded.key === key ? loaded : { value: undefined, error: undefined, isLoading: true };
}
