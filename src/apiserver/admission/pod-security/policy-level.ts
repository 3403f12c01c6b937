import { baselineChecks } from './baseline-checks.ts';
import type { CheckedPod, Finding, PodSecurityCheck } from './pod-security-checks.ts';
import { restrictedChecks } from './restricted-checks.ts';

export type Level = 'privileged' | 'baseline' | 'restricted';

/** A level of the Pod Security Standards in one of their versions. */
export interface Policy {
  readonly level: Level;
  /** Minor version; Infinity for latest. */
  readonly minor: number;
  /** `restricted:latest`, `baseline:v1.30`. */
  readonly text: string;
}

export type Mode = 'enforce' | 'audit' | 'warn';

/** What holds where a namespace says nothing; privileged:latest for modes that are left out. */
export type DefaultPolicies = Readonly<
  Partial<Record<Mode, { readonly level?: string; readonly version?: string }>>
>;

/**
 * The policy that the labels of a namespace set for `mode`. What cannot be read counts as
 * restricted:latest, so that a typing error does not open the namespace.
 */
export function policyOf(
  labels: Readonly<Record<string, string>> | undefined,
  mode: Mode,
  defaults: DefaultPolicies = {},
): Policy {
  const own = defaults[mode];
  const level = labels?.[`pod-security.kubernetes.io/${mode}`] ?? own?.level;
  const version =
    labels?.[`pod-security.kubernetes.io/${mode}-version`] ?? own?.version ?? 'latest';
  if (level === undefined) return policy('privileged', 'latest');
  const isLevel = level === 'privileged' || level === 'baseline' || level === 'restricted';
  return policy(isLevel ? level : 'restricted', version);
}

function policy(level: Level, version: string): Policy {
  const match = /^v1\.([1-9][0-9]*|0)$/.exec(version);
  if (match === null) return { level, minor: Infinity, text: `${level}:latest` };
  return { level, minor: Number(match[1]), text: `${level}:${version}` };
}

/** What of the pod the policy forbids; baseline findings first, then restricted ones, each by id. */
export function violationsOf(of: Policy, pod: CheckedPod): Finding[] {
  if (of.level === 'privileged') return [];
  const applies = (check: PodSecurityCheck): boolean =>
    of.minor >= (check.from ?? 0) && of.minor <= (check.until ?? Infinity);
  const restricted = of.level === 'restricted' ? restrictedChecks.filter(applies) : [];
  const replaced = new Set(restricted.map((check) => check.replaces));
  const baseline = baselineChecks.filter((check) => applies(check) && !replaced.has(check.id));
  return [...baseline, ...restricted].flatMap((check) => check.find(pod, of.minor) ?? []);
}

/** `privileged (container "c" …), hostPort (…)`. */
export function describeViolations(findings: readonly Finding[]): string {
  return findings.map(({ reason, detail }) => `${reason} (${detail})`).join(', ');
}
