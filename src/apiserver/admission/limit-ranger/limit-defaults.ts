import type { Container, LimitRangeItem, Pod } from '#schema/types.ts';

const annotation = 'kubernetes.io/limit-ranger';
type Amounts = Readonly<Record<string, string>>;

/**
 * Fills in requests and limits that containers leave out, from the Container items of a limit
 * range, and says so in an annotation, as upstream. Changes the pod in place.
 */
export function applyLimitDefaults(pod: Pod, items: readonly LimitRangeItem[]): void {
  const limits: Record<string, string> = {};
  const requests: Record<string, string> = {};
  for (const item of items) {
    if (item.type !== 'Container') continue;
    Object.assign(limits, item.default);
    Object.assign(requests, item.defaultRequest);
  }
  const notes: string[] = [];
  for (const container of pod.spec?.containers ?? []) {
    fill(container, requests, limits, `container ${container.name}`, notes);
  }
  for (const container of pod.spec?.initContainers ?? []) {
    fill(container, requests, limits, `init container ${container.name}`, notes);
  }
  if (notes.length === 0) return;
  pod.metadata.annotations = {
    ...pod.metadata.annotations,
    [annotation]: `LimitRanger plugin set: ${notes.join('; ')}`,
  };
}

function fill(
  container: Container,
  requests: Amounts,
  limits: Amounts,
  who: string,
  notes: string[],
): void {
  for (const [which, defaults, word] of [
    ['requests', requests, 'request'],
    ['limits', limits, 'limit'],
  ] as const) {
    const own = container.resources?.[which];
    const missing = Object.keys(defaults)
      .filter((name) => own?.[name] === undefined)
      .sort();
    if (missing.length === 0) continue;
    const added = Object.fromEntries(missing.map((name) => [name, defaults[name] ?? '']));
    container.resources = { ...container.resources, [which]: { ...own, ...added } };
    notes.push(`${missing.join(', ')} ${word} for ${who}`);
  }
}
