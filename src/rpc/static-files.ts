/** Files that a server has at hand and gives to browsers as they are. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AnswerWriter } from './answers.js';

/** The encodings that a file can be kept in, the smallest first. */
const ENCODINGS = ['br', 'gzip'] as const;
export type FileEncoding = (typeof ENCODINGS)[number];

export interface StaticFile {
  /** Headers of the answer, `content-type` among them. */
  readonly headers: Readonly<Record<string, string>>;
  readonly plain: Uint8Array;
  /** The same, compressed. */
  readonly encoded: Readonly<Partial<Record<FileEncoding, Uint8Array>>>;
}

/** Answers with the smallest form of `file` that the client accepts. */
export function sendFile(
  request: IncomingMessage,
  response: ServerResponse,
  answers: AnswerWriter,
  { headers, plain, encoded }: StaticFile,
): Promise<void> {
  const accepted = acceptedEncodings(request.headers['accept-encoding']);
  const encoding = ENCODINGS.find((name) => encoded[name] !== undefined && accepted.has(name));
  const body = (encoding && encoded[encoding]) ?? plain;
  response.writeHead(200, {
    ...headers,
    vary: 'accept-encoding',
    'content-length': body.length,
    ...(encoding !== undefined && { 'content-encoding': encoding }),
  });
  return answers.end(response, body);
}

/** The encodings that a header `Accept-Encoding` names, without those of weight 0. */
function acceptedEncodings(header: string | string[] | undefined): ReadonlySet<string> {
  const names = String(header ?? '')
    .toLowerCase()
    .split(',')
    .map((part) => part.split(';').map((word) => word.trim()))
    .filter(([, weight]) => !/^q=0(\.0*)?$/.test(weight ?? ''));
  return new Set(names.map(([name]) => name));
}
