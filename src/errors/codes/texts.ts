/** The texts of a code: what is wrong, and what to do about it. In Markdown, without `|`. */
export type Texts = readonly [meaning: string, action: string];

/**
 * The same of an answer of the JSON-RPC server: with the number of its error object, and the HTTP status where that is
 * not 200. Codes that are only counted have neither.
 */
export type RpcTexts = readonly [meaning: string, action: string, rpc?: number, http?: number];
