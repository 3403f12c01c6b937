import { stringify } from 'yaml';
import type { AnswerForm } from '../negotiate.ts';

export const contentTypes = { json: 'application/json', yaml: 'application/yaml' } as const;

/** A value as the client wants to read it. */
export function encodeValue(value: unknown, form: AnswerForm, isPretty: boolean): Buffer {
  if (form.media === 'yaml') return Buffer.from(stringify(value));
  if (isPretty) return Buffer.from(`${JSON.stringify(value, undefined, 2)}\n`);
  return Buffer.from(JSON.stringify(value));
}
