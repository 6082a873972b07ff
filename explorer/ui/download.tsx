import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { Failed } from './parts.js';

interface DownloadProps {
  /** Of the file. */
  readonly name: string;
  readonly label: string;
  readonly make: () => Promise<unknown>;
}

/** Saves what `make` gives as a file of JSON. */
export function DownloadButton({ name, label, make }: DownloadProps): JSX.Element {
  const [error, setError] = useState<unknown>();
  const [isBusy, setBusy] = useState(false);
  const save = async (): Promise<void> => {
    setBusy(true);
    setError(undefined);
    try {
      saveAs(name, JSON.stringify(await make(), undefined, 2));
    } catch (failure) {
      setError(failure);
    }
    setBusy(false);
  };
  return (
    <>
      <button type="button" disabled={isBusy} onClick={() => void save()}>
        {label}
      </button>
      {error !== undefined && <Failed error={error} />}
    </>
  );
}

function saveAs(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([`${text}\n`], { type: 'application/json' }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser has begun to read it by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}
