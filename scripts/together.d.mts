export const TOGETHER: readonly string[];
