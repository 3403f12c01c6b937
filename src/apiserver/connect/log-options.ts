import type { FieldError } from '#schema/mod.ts';
import { badRequest, invalid } from '../api-errors.ts';
import { readFlag, readInteger } from './query-values.ts';

/** PodLogOptions. */
export interface LogOptions {
  container: string;
  isFollowing: boolean;
  isPrevious: boolean;
  hasTimestamps: boolean;
  isUnverified: boolean;
  sinceSeconds: number | undefined;
  sinceTime: string | undefined;
  tailLines: number | undefined;
  limitBytes: number | undefined;
}

/** Reads and checks the query of pods/log; throws BadRequest or Invalid as upstream. */
export function readLogOptions(query: URLSearchParams, podName: string): LogOptions {
  const options: LogOptions = {
    container: query.get('container') ?? '',
    isFollowing: readFlag(query, 'follow'),
    isPrevious: readFlag(query, 'previous'),
    hasTimestamps: readFlag(query, 'timestamps'),
    isUnverified: readFlag(query, 'insecureSkipTLSVerifyBackend'),
    sinceSeconds: readInteger(query, 'sinceSeconds'),
    sinceTime: readTime(query.get('sinceTime')),
    tailLines: readInteger(query, 'tailLines'),
    limitBytes: readInteger(query, 'limitBytes'),
  };
  const errors = checkLogOptions(options, query.get('stream'));
  if (errors.length > 0) throw invalid({ group: '', kind: 'PodLogOptions' }, podName, errors);
  return options;
}

function readTime(text: string | null): string | undefined {
  if (text === null || text === '') return undefined;
  const ms = Date.parse(text);
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(text) || Number.isNaN(ms)) {
    throw badRequest(
      `parsing time ${JSON.stringify(text)} as "2006-01-02T15:04:05Z07:00": cannot parse ${JSON.stringify(text)} as "2006"`,
    );
  }
  return text;
}

function checkLogOptions(options: LogOptions, stream: string | null): FieldError[] {
  const errors: FieldError[] = [];
  const { tailLines, limitBytes, sinceSeconds, sinceTime } = options;
  const atLeast = (
    field: string,
    value: number | undefined,
    [lowest, detail]: readonly [number, string],
  ): void => {
    if (value === undefined || value >= lowest) return;
    const message = `Invalid value: ${value}: ${detail}`;
    errors.push({ type: 'FieldValueInvalid', field, message });
  };
  atLeast('tailLines', tailLines, [0, 'must be greater than or equal to 0']);
  atLeast('limitBytes', limitBytes, [1, 'must be greater than 0']);
  if (sinceSeconds !== undefined && sinceTime !== undefined) {
    const detail = 'at most one of `sinceTime` or `sinceSeconds` may be specified';
    errors.push({ type: 'FieldValueForbidden', field: '', message: `Forbidden: ${detail}` });
  } else {
    atLeast('sinceSeconds', sinceSeconds, [1, 'must be greater than 0']);
  }
  if (stream !== null && stream !== '') {
    const message = 'Forbidden: may not be specified';
    errors.push({ type: 'FieldValueForbidden', field: 'stream', message });
  }
  return errors;
}

/** The same options as the kubelet takes them: only what was given. */
export function kubeletLogQuery(options: LogOptions): URLSearchParams {
  const query = new URLSearchParams();
  if (options.isFollowing) query.set('follow', 'true');
  if (options.isPrevious) query.set('previous', 'true');
  if (options.hasTimestamps) query.set('timestamps', 'true');
  if (options.sinceTime !== undefined) query.set('sinceTime', options.sinceTime);
  for (const name of ['sinceSeconds', 'tailLines', 'limitBytes'] as const) {
    const value = options[name];
    if (value !== undefined) query.set(name, String(value));
  }
  return query;
}
