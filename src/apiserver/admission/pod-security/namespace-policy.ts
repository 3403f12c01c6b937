import { resources } from '#client/mod.ts';
import type { Clock } from '#base/clock.ts';
import type { FieldError } from '#schema/mod.ts';
import type { Namespace, Pod } from '#schema/types.ts';

import { invalid } from '../../api-errors.ts';
import type { ObjectReader } from '../../authz/object-reader.ts';
import type { AdmissionAttributes } from '../plugin.ts';
import { checkedPod } from './pod-security-checks.ts';
import type { PodSecurityConfig } from './pod-security.ts';
import {
  compareLevels,
  isPolicyLabelSet,
  isPrivileged,
  policiesOf,
  violationsOf,
} from './policy-level.ts';
import type { Policy, PolicySet } from './policy-level.ts';

/** Pods that are looked at when a namespace becomes stricter, and for how long, as upstream. */
const maxCheckedPods = 3000;
const checkTimeMs = 1000;

/**
 * Refuses labels of a namespace that mean nothing, unless they meant nothing before; warns of pods
 * that a stricter level would not let in, and of labels that an exemption makes idle.
 */
export function checkNamespace(
  attributes: AdmissionAttributes,
  options: { reader: ObjectReader; clock: Clock; config: PodSecurityConfig },
): void {
  const { reader, clock, config } = options;
  const namespace = attributes.object as unknown as Namespace;
  const { name, labels } = namespace.metadata;
  const { policies, problems } = policiesOf(labels, config.defaults);
  const old = attributes.oldObject as unknown as Namespace | undefined;
  const before = old === undefined ? undefined : policiesOf(old.metadata.labels, config.defaults);
  if (problems.length > 0 && !isSame(problems, before?.problems)) {
    throw invalid({ group: '', kind: 'Namespace' }, name, problems);
  }
  if (before !== undefined && !isStricter(policies.enforce, before.policies.enforce)) return;
  const { warnings } = attributes.context;
  if (config.exemptions.namespaces.includes(name)) {
    const text = exemptionWarning(namespace, policies, config);
    if (text !== undefined) warnings.add(text);
    if (before !== undefined) {
      attributes.context.trail?.annotate('pod-security.kubernetes.io/exempt', 'namespace');
    }
    return;
  }
  if (before === undefined) return;
  const pods = byController(reader.list<Pod>(resources.pods, name), config);
  for (const text of podWarnings(name, pods, policies.enforce, clock)) warnings.add(text);
}

function isSame(a: readonly FieldError[], b: readonly FieldError[] | undefined): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

function isStricter(next: Policy, before: Policy): boolean {
  if (next.text === before.text || next.level === 'privileged') return false;
  return next.version !== before.version || compareLevels(next.level, before.level) > 0;
}

function exemptionWarning(
  { metadata: { name, labels } }: Namespace,
  policies: PolicySet,
  { defaults }: PodSecurityConfig,
): string | undefined {
  const modes = ['enforce', 'audit', 'warn'] as const;
  const own = policiesOf(undefined, defaults).policies;
  if (isPrivileged(policies) || modes.every((mode) => own[mode].text === policies[mode].text)) {
    return undefined;
  }
  const shown = modes
    .filter((mode) => policies[mode].level !== 'privileged' && isPolicyLabelSet(labels, mode))
    .map((mode) => `${mode}=${policies[mode].text}`);
  const policy = shown.join(', ');
  return `namespace ${JSON.stringify(name)} is exempt from Pod Security, and the policy (${policy}) will be ignored`;
}

/** One pod of each controller first, then their others. */
function byController(pods: readonly Pod[], { exemptions }: PodSecurityConfig): Pod[] {
  const first: Pod[] = [];
  const others: Pod[] = [];
  const seen = new Set<string>();
  for (const pod of pods) {
    const { runtimeClassName = '' } = pod.spec ?? {};
    if (exemptions.runtimeClasses.includes(runtimeClassName)) continue;
    const owner = pod.metadata.ownerReferences?.find(({ controller }) => controller === true);
    if (owner !== undefined && seen.has(owner.uid)) others.push(pod);
    else first.push(pod);
    if (owner !== undefined) seen.add(owner.uid);
  }
  return [...first, ...others];
}

/** Warnings of upstream: a line for each set of reasons, with the first of its pods. */
function podWarnings(
  namespace: string,
  pods: readonly Pod[],
  enforce: Policy,
  clock: Clock,
): string[] {
  const endMs = clock.monotonicMs() + checkTimeMs;
  const found = new Map<string, { name: string; count: number }>();
  let checked = 0;
  for (const pod of pods.slice(0, maxCheckedPods)) {
    checked++;
    const { annotations, name } = pod.metadata;
    const findings =
      pod.spec === undefined ? [] : violationsOf(enforce, checkedPod(annotations, pod.spec));
    const reasons = findings.map(({ reason }) => reason).join(', ');
    const same = found.get(reasons);
    if (findings.length > 0) {
      const first = same === undefined || name < same.name ? name : same.name;
      found.set(reasons, { name: first, count: (same?.count ?? 0) + 1 });
    }
    if (clock.monotonicMs() > endMs) break;
  }
  const warnings: string[] = [];
  if (checked < pods.length) {
    warnings.push(
      `new PodSecurity enforce level only checked against the first ${checked} of ${pods.length} existing pods`,
    );
  }
  if (found.size > 0) {
    warnings.push(
      `existing pods in namespace ${JSON.stringify(namespace)} violate the new PodSecurity enforce level ${JSON.stringify(enforce.text)}`,
    );
  }
  const lines = [...found].map(([reasons, { name, count }]) => {
    const others = count === 1 ? '' : ` (and ${count - 1} other pod${count === 2 ? '' : 's'})`;
    return `${name}${others}: ${reasons}`;
  });
  return [...warnings, ...lines.sort()];
}
