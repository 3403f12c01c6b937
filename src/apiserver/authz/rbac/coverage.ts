import type { PolicyRule } from '#schema/types.ts';

/**
 * The parts of `wanted` that none of `held` grants, one verb on one resource (or path) each: what
 * somebody must not hand out. Upstream's Covers.
 */
export function uncoveredRules(
  held: readonly PolicyRule[],
  wanted: readonly PolicyRule[],
): PolicyRule[] {
  return wanted.flatMap(breakDown).filter((part) => !held.some((rule) => covers(rule, part)));
}

function breakDown(rule: PolicyRule): PolicyRule[] {
  const parts: PolicyRule[] = [];
  for (const verb of rule.verbs) {
    for (const url of rule.nonResourceURLs ?? []) {
      parts.push({ verbs: [verb], nonResourceURLs: [url] });
    }
    for (const group of rule.apiGroups ?? []) {
      for (const resource of rule.resources ?? []) {
        const part = { verbs: [verb], apiGroups: [group], resources: [resource] };
        const names = rule.resourceNames ?? [];
        if (names.length === 0) parts.push(part);
        for (const name of names) parts.push({ ...part, resourceNames: [name] });
      }
    }
  }
  return parts;
}

function covers(held: PolicyRule, part: PolicyRule): boolean {
  const hasAll = (all: readonly string[] | undefined, some: readonly string[] | undefined) =>
    all?.includes('*') === true || (some ?? []).every((entry) => all?.includes(entry) === true);
  if (!hasAll(held.verbs, part.verbs)) return false;
  const url = part.nonResourceURLs?.[0];
  if (url !== undefined) {
    return (held.nonResourceURLs ?? []).some(
      (own) => own === url || (own.endsWith('*') && url.startsWith(own.replace(/\*+$/, ''))),
    );
  }
  if (!hasAll(held.apiGroups, part.apiGroups)) return false;
  const resource = part.resources?.[0] ?? '';
  const slash = resource.indexOf('/');
  const isCovered =
    hasAll(held.resources, part.resources) ||
    (slash >= 0 && held.resources?.includes(`*${resource.slice(slash)}`) === true);
  if (!isCovered) return false;
  if ((held.resourceNames ?? []).length === 0) return true;
  return (part.resourceNames ?? []).length > 0 && hasAll(held.resourceNames, part.resourceNames);
}

/**
 * Lines that name the rules, as the refusal shows them: parts that differ in the verb only are
 * joined, lines are sorted.
 */
export function describeRules(parts: readonly PolicyRule[]): string {
  const joined = new Map<string, PolicyRule>();
  for (const part of parts) {
    const key = JSON.stringify([
      part.apiGroups,
      part.resources,
      part.resourceNames,
      part.nonResourceURLs,
    ]);
    const known = joined.get(key);
    const verbs = [...new Set([...(known?.verbs ?? []), ...part.verbs])];
    joined.set(key, { ...part, verbs });
  }
  return [...joined.values()].map(describeRule).sort().join('\n');
}

function describeRule(rule: PolicyRule): string {
  const fields: [string, readonly string[] | undefined][] = [
    ['APIGroups', rule.apiGroups],
    ['Resources', rule.resources],
    ['NonResourceURLs', rule.nonResourceURLs],
    ['ResourceNames', rule.resourceNames],
    ['Verbs', rule.verbs],
  ];
  const texts = fields
    .filter(([, values]) => (values ?? []).length > 0)
    .map(([name, values]) => `${name}:${quoteList(values ?? [])}`);
  return `{${texts.join(', ')}}`;
}

/** A list of strings as Go's %q prints it: quoted, with blanks between. */
export function quoteList(values: readonly string[]): string {
  return `[${values.map((value) => JSON.stringify(value)).join(' ')}]`;
}
