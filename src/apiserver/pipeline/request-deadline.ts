import { parseDuration } from '#base/duration.ts';
import { messageOf } from '#base/errors.ts';

import { badRequest } from '../api-errors.ts';

/**
 * The time limit of a request that is not long-running: what `timeout` in the query asks for, at
 * most the server's limit. Throws BadRequest with upstream's text for what is no duration.
 */
export function readTimeout(query: string, maxMs: number): number {
  if (!query.includes('timeout=')) return maxMs;
  const text = new URLSearchParams(query).get('timeout') ?? '';
  if (text === '') return maxMs;
  let askedMs: number;
  try {
    askedMs = parseDuration(text);
  } catch (error) {
    throw badRequest(`invalid timeout specified in the request URL - ${messageOf(error)}`);
  }
  return askedMs <= 0 ? maxMs : Math.min(askedMs, maxMs);
}
