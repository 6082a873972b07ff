import type { CODE_CLASSES, EXIT } from '../src/errors/codes/registry.js';

export function withTable(page: string, name: string, text: string): string;
export function errorTables(classes: typeof CODE_CLASSES, exit: typeof EXIT): string;
