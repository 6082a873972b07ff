export { defaultIndexer } from './built-wasm.js';
