import type { IncomingHttpHeaders } from 'node:http';

/** Header names and values in turn, as Node's rawHeaders. */
export type RawHeaders = readonly string[];

/** Whether a request asks for another protocol: upstream looks for `upgrade` in Connection. */
export function isUpgrade(headers: IncomingHttpHeaders): boolean {
  return (headers.connection ?? '').toLowerCase().includes('upgrade');
}

export function isWebSocket(headers: IncomingHttpHeaders): boolean {
  return isUpgrade(headers) && (headers.upgrade ?? '').toLowerCase() === 'websocket';
}

/** The values of a header that may be repeated or hold a comma list, in order. */
export function listOf(value: string | string[] | undefined): string[] {
  const values = value === undefined ? [] : Array.isArray(value) ? value : [value];
  return values
    .flatMap((text) => text.split(','))
    .map((text) => text.trim())
    .filter((text) => text !== '');
}

/** Headers without those named in `dropped` (lower case), then `added`. */
export function withHeaders(
  headers: RawHeaders,
  dropped: (name: string) => boolean,
  added: RawHeaders,
): string[] {
  const result: string[] = [];
  for (let at = 0; at + 1 < headers.length; at += 2) {
    const name = headers[at] as string;
    if (!dropped(name.toLowerCase())) result.push(name, headers[at + 1] as string);
  }
  return [...result, ...added];
}

/** The head of an HTTP/1.1 answer. */
export function answerHead(status: number, statusText: string, headers: RawHeaders): string {
  let head = `HTTP/1.1 ${status} ${statusText}\r\n`;
  for (let at = 0; at + 1 < headers.length; at += 2) {
    head += `${headers[at] as string}: ${headers[at + 1] as string}\r\n`;
  }
  return `${head}\r\n`;
}
