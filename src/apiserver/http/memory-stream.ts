import { Readable, Writable } from 'node:stream';
import type { IncomingHttpHeaders } from 'node:http';
import type { RawResponse } from '#client/mod.ts';
import type { NodeRequest, NodeResponse } from './exchange.ts';

/** What looks like a request of Node's to code that passes it on; there is no connection. */
export function memoryRequest(of: {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  body: Buffer;
}): NodeRequest {
  const { method, body } = of;
  const headers = body.length === 0 ? of.headers : { ...of.headers, ...lengthOf(body) };
  const rawHeaders = Object.entries(headers).flatMap(([name, value]) => [name, String(value)]);
  const stream = Readable.from(body.length === 0 ? [] : [body], { objectMode: false });
  const request = { method, url: of.path, headers, rawHeaders, httpVersionMajor: 1 };
  return Object.assign(stream, request) as unknown as NodeRequest;
}

function lengthOf(body: Buffer): IncomingHttpHeaders {
  return { 'content-length': String(body.length) };
}

/** Gathers an answer that is written as to a response of Node's. */
export function memoryResponse(
  done: (response: RawResponse) => void,
  failed: (error: Error) => void,
): NodeResponse {
  const headers: Record<string, string> = {};
  const pieces: Buffer[] = [];
  const stream = new Writable({
    write(piece: Buffer, _encoding, next) {
      pieces.push(piece);
      next();
    },
    final(next) {
      done({ status: response.statusCode, headers, body: Buffer.concat(pieces) });
      next();
    },
    destroy(error, next) {
      failed(error ?? new Error('the answer was cut off'));
      next(error);
    },
  });
  const response = Object.assign(stream, {
    statusCode: 200,
    setHeader(name: string, value: unknown) {
      headers[name.toLowerCase()] = String(value);
    },
  });
  return response as unknown as NodeResponse;
}
