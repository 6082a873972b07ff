export const ENTRIES: readonly string[];
export const CHUNKS: string;
