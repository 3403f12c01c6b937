import type { FieldError } from '#schema/mod.ts';

import { baselineChecks } from './baseline-checks.ts';
import type { CheckedPod, Finding, PodSecurityCheck } from './pod-security-checks.ts';
import { restrictedChecks } from './restricted-checks.ts';

export type Level = 'privileged' | 'baseline' | 'restricted';

/** A level of the Pod Security Standards in one of their versions. */
export interface Policy {
  readonly level: Level;
  /** `latest` or `v1.30`. */
  readonly version: string;
  /** Minor version; Infinity for latest. */
  readonly minor: number;
  /** `restricted:latest`, `baseline:v1.30`. */
  readonly text: string;
}

export type Mode = 'enforce' | 'audit' | 'warn';

/** What holds in a namespace, mode by mode. */
export type PolicySet = Readonly<Record<Mode, Policy>>;

/** What holds where a namespace says nothing; privileged:latest for modes that are left out. */
export type DefaultPolicies = Readonly<
  Partial<Record<Mode, { readonly level?: string; readonly version?: string }>>
>;

type Labels = Readonly<Record<string, string>> | undefined;

const prefix = 'pod-security.kubernetes.io/';
const modes = ['enforce', 'audit', 'warn'] as const;
const levels: readonly string[] = ['privileged', 'baseline', 'restricted'];

/** Whether a configuration may name it. */
export function isPolicyLevel(value: unknown): boolean {
  return typeof value === 'string' && levels.includes(value);
}

export function isPolicyVersion(value: unknown): boolean {
  return typeof value === 'string' && minorOf(value) !== undefined;
}

export function isPolicyLabelSet(labels: Labels, mode: Mode): boolean {
  return (
    labels?.[prefix + mode] !== undefined || labels?.[`${prefix}${mode}-version`] !== undefined
  );
}

export function isPrivileged(policies: PolicySet): boolean {
  return modes.every((mode) => policies[mode].level === 'privileged');
}

/** Above zero when `a` is stricter than `b`. */
export function compareLevels(a: Level, b: Level): number {
  return levels.indexOf(a) - levels.indexOf(b);
}

/**
 * The policies that the labels of a namespace set. What cannot be read counts as restricted:latest
 * when it enforces, so that a typing error does not open the namespace, else as privileged; it is
 * told as a problem. A namespace that only enforces warns of the same, as upstream.
 */
export function policiesOf(
  labels: Labels,
  defaults: DefaultPolicies,
): { readonly policies: PolicySet; readonly problems: readonly FieldError[] } {
  const problems: FieldError[] = [];
  const read = (mode: Mode): Policy => {
    const own = policy(levelOf(defaults[mode]?.level), defaults[mode]?.version ?? 'latest');
    let { level, version } = own;
    const levelText = labels?.[prefix + mode];
    if (levelText !== undefined) {
      if (levels.includes(levelText)) level = levelText as Level;
      else {
        problems.push(problem(mode, levelText, 'must be one of privileged, baseline, restricted'));
        level = mode === 'enforce' ? 'restricted' : 'privileged';
      }
    }
    const versionText = labels?.[`${prefix}${mode}-version`];
    if (versionText !== undefined) {
      version = versionText;
      if (minorOf(versionText) === undefined) {
        problems.push(problem(`${mode}-version`, versionText, 'must be "latest" or "v1.x"'));
      }
    }
    return policy(level, version);
  };
  const enforce = read('enforce');
  const audit = read('audit');
  let warn = read('warn');
  const isEnforcing = levels.includes(labels?.[`${prefix}enforce`] ?? '');
  const isSilent = labels?.[`${prefix}warn`] === undefined;
  if (isEnforcing && isSilent && compareLevels(enforce.level, warn.level) > 0) {
    const version =
      labels?.[`${prefix}warn-version`] === undefined ? enforce.version : warn.version;
    warn = policy(enforce.level, version);
  }
  return { policies: { enforce, audit, warn }, problems };
}

function problem(label: string, value: string, text: string): FieldError {
  return {
    type: 'FieldValueInvalid',
    field: `metadata.labels[${prefix}${label}]`,
    message: `Invalid value: ${JSON.stringify(value)}: ${text}`,
  };
}

function levelOf(text: string | undefined): Level {
  return text !== undefined && levels.includes(text) ? (text as Level) : 'privileged';
}

/** Infinity for latest, undefined for what is no version. */
function minorOf(version: string): number | undefined {
  if (version === 'latest') return Infinity;
  const match = /^v1\.(0|[1-9][0-9]*)$/.exec(version);
  return match === null ? undefined : Number(match[1]);
}

function policy(level: Level, version: string): Policy {
  const minor = minorOf(version);
  if (minor === undefined) return policy(level, 'latest');
  return { level, version, minor, text: `${level}:${version}` };
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
