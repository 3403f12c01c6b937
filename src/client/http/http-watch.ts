import { ApiStatusError } from '#base/api-status-error.ts';
import type { StatusBody } from '#base/api-status-error.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import type { KubeObject } from '#schema/mod.ts';
import type { WatchEvent } from '../client.ts';
import { createLineSplitter } from './line-splitter.ts';
import type { TransportResponse } from './transport.ts';

/** Decodes an open watch; the caller checked the status. Leaving the loop cancels the request. */
export async function* decodeWatch<T extends KubeObject>(
  response: TransportResponse,
  signal: AbortSignal | undefined,
): AsyncGenerator<WatchEvent<T>, void, undefined> {
  const splitter = createLineSplitter();
  try {
    for await (const chunk of response.body) {
      for (const line of splitter.push(chunk as Buffer)) yield decodeEvent<T>(line);
    }
  } catch (error) {
    if (signal?.aborted === true) return;
    if (error instanceof K3tsError) throw error;
    throw new K3tsError('Unavailable', `the watch was cut: ${messageOf(error)}`, { cause: error });
  } finally {
    response.body.destroy();
  }
}

function decodeEvent<T extends KubeObject>(line: string): WatchEvent<T> {
  const event = JSON.parse(line) as { type: string; object: unknown };
  if (event.type === 'ERROR') {
    const status = event.object as Partial<StatusBody>;
    throw ApiStatusError.fromStatus(status, status.code ?? 500);
  }
  return event as WatchEvent<T>;
}
