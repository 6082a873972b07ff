import type { CodeClass, EXIT } from '../src/error-codes/registry.js';

export function withTable(page: string, name: string, text: string): string;
export function errorTables(classes: readonly CodeClass[], exit: typeof EXIT): string;
