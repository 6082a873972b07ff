/** How a file of one table can be written. Apart from what writes them, which loads a library. */
export const FORMATS = ['parquet', 'jsonl', 'csv'] as const;
export type Format = (typeof FORMATS)[number];
