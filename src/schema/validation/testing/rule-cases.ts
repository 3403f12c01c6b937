import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Changes } from './check-kind.ts';

const folder = join(import.meta.dirname, '../../../../test/fixtures/validation');

/** A rule of upstream: one error that an object may be refused with. */
export interface RuleEntry {
  readonly id: string;
  /** The kind, or the set of rules that several kinds share. */
  readonly of: string;
  readonly field: string;
  readonly reason: string;
  /** The operation or subresource; creations and updates when absent. */
  readonly on?: string;
  readonly when?: string;
  readonly detail?: string;
  /** The format whose messages are the details. */
  readonly format?: string;
  /** Why there is no case. */
  readonly without?: string;
}

/** An object that breaks a rule: the valid object of its kind, with changes. */
export interface RuleCase {
  readonly rule: string;
  readonly group: string;
  readonly version: string;
  readonly resource: string;
  /** `create`, `update` or a subresource. */
  readonly on: string;
  readonly changes: Changes;
  readonly oldChanges: Changes;
  /** `field: message`; `…` stands for the middle of a very long one. */
  readonly error: string;
  /** How many errors there are in all. */
  readonly count: number;
}

type Json = Record<string, unknown>;

function readRows(name: string): Json[] {
  return JSON.parse(readFileSync(join(folder, name), 'utf8')) as Json[];
}

export function readRules(): RuleEntry[] {
  return readRows('rules.json') as unknown as RuleEntry[];
}

export function readCases(): RuleCase[] {
  return readRows('cases.json').map((row) => {
    const { rule, kind, on, set, unset, oldSet, oldUnset, error, count = 1 } = row;
    const [group = '', version = '', resource = ''] = String(kind).split('/');
    return {
      rule: String(rule),
      group,
      version,
      resource,
      on: String(on),
      changes: changesOf(set, unset),
      oldChanges: changesOf(oldSet, oldUnset),
      error: String(error),
      count: Number(count),
    };
  });
}

function changesOf(set: unknown, unset: unknown): Changes {
  const changes: Json = {};
  for (const [path, value] of Object.entries((set ?? {}) as Json)) changes[path] = expand(value);
  for (const path of (unset ?? []) as string[]) changes[path] = undefined;
  return changes;
}

/** Long values are written short: $repeat for text, $list for items, $keys for maps. */
function expand(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map(expand);
  const { $repeat, $list, $keys, ...rest } = value as Json;
  if (typeof $repeat === 'number') {
    return `${text(rest['before'])}${text(rest['text']).repeat($repeat)}${text(rest['after'])}`;
  }
  if (typeof $list === 'number') {
    const { of, first, from } = rest;
    const start = Number(from ?? 0);
    return Array.from({ length: $list }, (_, index) =>
      expand(index === 0 && first !== undefined ? first : numbered(of, index + start)),
    );
  }
  if (typeof $keys === 'number') {
    const item = rest['of'];
    return Object.fromEntries(Array.from({ length: $keys }, (_, index) => [`k${index}`, item]));
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, expand(item)]));
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function numbered(value: unknown, index: number): unknown {
  if (value === '#') return index;
  if (typeof value === 'string') return value.replaceAll('#', String(index));
  if (Array.isArray(value)) return value.map((item) => numbered(item, index));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, numbered(item, index)]),
  );
}

/** Whether an error is the one of a case. */
export function isErrorOf(line: string, { error }: RuleCase): boolean {
  const [start = '', end] = error.split('…');
  return end === undefined ? line === error : line.startsWith(start) && line.endsWith(end);
}
