import { humanDuration } from '#base/duration.ts';
import type { LabelSelector, PodSpec } from '../generated/types.ts';

/** A value of a table row; numbers stay numbers where upstream sends them so. */
export type Cell = string | number | boolean | null;

export const none = '<none>';
export const unset = '<unset>';
export const unknown = '<unknown>';

/** How long ago a time was, in kubectl's short form. */
export function age(time: string | null | undefined, nowMs: number): string {
  if (time === undefined || time === null || time === '') return unknown;
  return humanDuration(nowMs - Date.parse(time));
}

/** a=1,b=2 sorted by key. */
export function labelText(labels: Readonly<Record<string, string>> | undefined): string {
  const keys = Object.keys(labels ?? {}).sort();
  return keys.length === 0 ? none : keys.map((key) => `${key}=${labels?.[key]}`).join(',');
}

/** A selector as text; one that matches everything is <none>. */
export function selectorText(selector: LabelSelector | undefined): string {
  if (selector === undefined) return none;
  const parts: Array<readonly [key: string, text: string]> = [];
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    parts.push([key, `${key}=${value}`]);
  }
  for (const { key, operator, values } of selector.matchExpressions ?? []) {
    const list = `(${(values ?? []).toSorted().join(',')})`;
    if (operator === 'In') parts.push([key, `${key} in ${list}`]);
    else if (operator === 'NotIn') parts.push([key, `${key} notin ${list}`]);
    else if (operator === 'Exists') parts.push([key, key]);
    else if (operator === 'DoesNotExist') parts.push([key, `!${key}`]);
    else return '<error>';
  }
  if (parts.length === 0) return none;
  parts.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
  return parts.map(([, text]) => text).join(',');
}

/** The first few items, then how many more there are. */
export function someOf(items: readonly string[], max: number, separator: string): string {
  const text = items.slice(0, max).join(separator);
  return items.length > max ? `${text} + ${items.length - max} more...` : text;
}

/** Names and images of a template's containers: the two wide columns of all workloads. */
export function containerCells(spec: PodSpec | undefined): [names: string, images: string] {
  const containers = spec?.containers ?? [];
  return [
    containers.map((container) => container.name).join(','),
    containers.map((container) => container.image ?? '').join(','),
  ];
}

const accessModeNames: ReadonlyArray<readonly [mode: string, short: string]> = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
];

export function accessModeText(modes: readonly string[] | undefined): string {
  const given = accessModeNames.filter(([mode]) => modes?.includes(mode) === true);
  return given.map(([, short]) => short).join(',');
}

/** Addresses of load balancers: each once, sorted. */
export function ingressAddresses(
  ingress: ReadonlyArray<{ ip?: string | undefined; hostname?: string | undefined }> | undefined,
): string {
  const addresses = (ingress ?? []).map(({ ip, hostname }) => ip || hostname || '');
  return [...new Set(addresses.filter((address) => address !== ''))].sort().join(',');
}
