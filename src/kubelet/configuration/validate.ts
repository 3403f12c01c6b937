import { parseDuration } from '#base/duration.ts';
import { messageOf } from '#base/errors.ts';
import { parseQuantity } from '#base/quantity.ts';
import { featureGateProblem } from '#schema/feature-gates/mod.ts';
import { cpuPolicyProblem } from './cpu-policy.ts';
import { numaProblem } from './numa-settings.ts';
import { parseCpuSet } from '../cpus/mod.ts';
import { enforcementProblem, reservationProblem } from './enforcement.ts';
import { flagName } from './field.ts';
import type { JsonValue } from './field.ts';
import { verificationPolicies } from '../images/pull-policy.ts';
import { findField } from './field-table.ts';
import type { FieldValues } from './read-file.ts';

type Check = (get: Getters) => string | undefined;

interface Getters {
  integer(name: string): number;
  durationMs(name: string): number;
  value(name: string): JsonValue | undefined;
}

function notNegative(name: string, flag: string): Check {
  return ({ integer }) =>
    integer(name) < 0
      ? `${name} (--${flag}) ${integer(name)} must not be a negative number`
      : undefined;
}

function within(name: string, flag: string, low: number, high: number): Check {
  return ({ integer }) =>
    integer(name) < low || integer(name) > high
      ? `${name} (--${flag}) ${integer(name)} must be between ${low} and ${high}, inclusive`
      : undefined;
}

const checks: readonly Check[] = [
  notNegative('maxPods', 'max-pods'),
  notNegative('podsPerCore', 'pods-per-core'),
  within('port', 'port', 1, 65_535),
  within('oomScoreAdj', 'oom-score-adj', -1000, 1000),
  ({ durationMs }) =>
    durationMs('containerLogMonitorInterval') < 3000
      ? 'containerLogMonitorInterval must be a positive time duration greater than or equal to 3s'
      : undefined,
  within('healthzPort', 'healthz-port', 0, 65_535),
  within('imageGCHighThresholdPercent', 'image-gc-high-threshold', 0, 100),
  within('imageGCLowThresholdPercent', 'image-gc-low-threshold', 0, 100),
  ({ integer }) => {
    const [low, high] = [
      integer('imageGCLowThresholdPercent'),
      integer('imageGCHighThresholdPercent'),
    ];
    return low >= high
      ? `imageGCLowThresholdPercent (--image-gc-low-threshold) ${low} must be less than imageGCHighThresholdPercent (--image-gc-high-threshold) ${high}`
      : undefined;
  },
  ({ integer }) =>
    integer('nodeLeaseDurationSeconds') <= 0
      ? 'nodeLeaseDurationSeconds must be greater than 0'
      : undefined,
  ({ integer }) =>
    integer('nodeStatusMaxImages') < -1
      ? `nodeStatusMaxImages (--node-status-max-images) ${integer('nodeStatusMaxImages')} must be -1 or greater`
      : undefined,
  ({ integer }) =>
    integer('containerLogMaxFiles') <= 1
      ? `containerLogMaxFiles (--container-log-max-files) ${integer('containerLogMaxFiles')} must be greater than 1`
      : undefined,
  ({ durationMs }) => {
    const [all, critical] = [
      durationMs('shutdownGracePeriod'),
      durationMs('shutdownGracePeriodCriticalPods'),
    ];
    if (critical <= all) return undefined;
    return `shutdownGracePeriodCriticalPods {${critical / 1000}s} must be <= shutdownGracePeriod {${all / 1000}s}`;
  },
  ({ durationMs }) => shortPeriod('shutdownGracePeriod', durationMs('shutdownGracePeriod')),
  ({ durationMs }) =>
    shortPeriod('shutdownGracePeriodCriticalPods', durationMs('shutdownGracePeriodCriticalPods')),
  ({ value, durationMs }) => {
    const byPriority = value('shutdownGracePeriodByPodPriority');
    const hasPeriods =
      durationMs('shutdownGracePeriod') > 0 || durationMs('shutdownGracePeriodCriticalPods') > 0;
    return Array.isArray(byPriority) && byPriority.length > 0 && hasPeriods
      ? 'Cannot specify both shutdownGracePeriodByPodPriority and shutdownGracePeriod at the same time'
      : undefined;
  },
  ({ value }) => {
    const text = value('crashLoopBackOff.maxContainerRestartPeriod');
    if (typeof text !== 'string') return undefined;
    const ms = parseDuration(text);
    return ms < 1000 || ms > 300_000
      ? `CrashLoopBackOff.MaxContainerRestartPeriod (got: ${ms / 1000} seconds) must be set between 1 seconds and 300 seconds`
      : undefined;
  },
  ...['kubeReserved', 'systemReserved'].map(
    (name): Check =>
      ({ value }) =>
        quantities(titleOf(name), value(name)),
  ),
  ({ value }) => cpuList(value('reservedSystemCPUs')),
  ({ value }) => named('cpuManagerPolicy', cpuPolicyProblem(value)),
  ({ value }) => numaProblem(value),
  ({ value, durationMs }) => {
    const periodMs = durationMs('cpuCFSQuotaPeriod');
    if (periodMs >= 1 && periodMs <= 1000) return undefined;
    return `cpuCFSQuotaPeriod (--cpu-cfs-quota-period) {${String(value('cpuCFSQuotaPeriod'))}} must be between 1ms and 1sec, inclusive`;
  },
  ({ value }) => {
    const behavior = String(value('memorySwap.swapBehavior'));
    if (['', 'NoSwap', 'LimitedSwap'].includes(behavior)) return undefined;
    return `memorySwap.swapBehavior "${behavior}" must be one of: "", "LimitedSwap" or "NoSwap"`;
  },
  ({ value }) => enforcementProblem(value),
  ({ value }) => reservationProblem(value),
  ({ value }) => named('evictionHard', thresholds(value('evictionHard'))),
  ({ value }) => named('evictionSoft', thresholds(value('evictionSoft'))),
  ({ value }) => gates(value('featureGates')),
  ({ value }) => softGrace(value('evictionSoft'), value('evictionSoftGracePeriod')),
  ({ value }) => pullVerification(value),
];

/** `evictionHard (--eviction-hard)`: both names that a user may have written. */
function titleOf(name: string): string {
  const field = findField(name);
  return field === undefined ? name : `${name} (--${flagName(name, field)})`;
}

function named(name: string, problem: string | undefined): string | undefined {
  return problem === undefined ? undefined : `${titleOf(name)}: ${problem}`;
}

function pullVerification(value: Getters['value']): string | undefined {
  const policy = String(value('imagePullCredentialsVerificationPolicy'));
  if (verificationPolicies.every((one) => one !== policy)) {
    return `option "${policy}" specified for imagePullCredentialsVerificationPolicy. Valid options are ${verificationPolicies.join(', ')}`;
  }
  const allowlist = value('preloadedImagesVerificationAllowlist');
  const isListed = Array.isArray(allowlist) && allowlist.length > 0;
  return isListed && policy !== 'NeverVerifyAllowlistedImages'
    ? 'can\'t set `preloadedImagesVerificationAllowlist` if `imagePullCredentialsVerificationPolicy` is not "NeverVerifyAllowlistedImages"'
    : undefined;
}

function shortPeriod(name: string, ms: number): string | undefined {
  return ms !== 0 && ms < 1000
    ? `${name} {${ms}ms} must be either zero or otherwise >= 1 sec`
    : undefined;
}

/** Gates that k3ts has off and lets be turned on, for this component only. */
const turnableGates = new Set(['CPUManagerPolicyAlphaOptions']);

function gates(value: JsonValue | undefined): string | undefined {
  for (const [name, isOn] of Object.entries(value ?? {})) {
    if (turnableGates.has(name)) continue;
    const problem = featureGateProblem(`${name}=${String(isOn)}`);
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function quantities(name: string, value: JsonValue | undefined): string | undefined {
  for (const [key, text] of Object.entries(value ?? {})) {
    try {
      parseQuantity(String(text));
    } catch (error) {
      return `${name} ${key}: ${messageOf(error)}`;
    }
  }
  return undefined;
}

const signals = new Set([
  'memory.available',
  'nodefs.available',
  'nodefs.inodesFree',
  'imagefs.available',
  'imagefs.inodesFree',
  'containerfs.available',
  'containerfs.inodesFree',
  'allocatableMemory.available',
  'pid.available',
]);

function thresholds(value: JsonValue | undefined): string | undefined {
  for (const [signal, text] of Object.entries(value ?? {})) {
    if (!signals.has(signal)) return `unknown eviction signal ${signal}`;
    const shown = String(text);
    if (shown.endsWith('%')) {
      const percent = Number(shown.slice(0, -1));
      if (!(percent >= 0 && percent <= 100)) {
        return `eviction percentage threshold ${signal} must be between 0% and 100%: ${shown}`;
      }
      continue;
    }
    const problem = quantities('threshold', { [signal]: shown });
    if (problem !== undefined) return problem;
  }
  return undefined;
}

function cpuList(value: JsonValue | undefined): string | undefined {
  if (value === undefined || value === '') return undefined;
  try {
    parseCpuSet(String(value));
    return undefined;
  } catch (error) {
    return `reservedSystemCPUs (--reserved-cpus): ${messageOf(error)}`;
  }
}

/** A soft threshold without a time would be a hard one. */
function softGrace(
  soft: JsonValue | undefined,
  periods: JsonValue | undefined,
): string | undefined {
  const known = new Set(Object.keys(periods ?? {}));
  const missing = Object.keys(soft ?? {}).find((signal) => !known.has(signal));
  if (missing === undefined) return undefined;
  return `grace period must be specified for the soft eviction threshold ${missing}`;
}

/** What is wrong with a configuration as a whole, in upstream's words; empty when it is fine. */
export function configurationProblems(values: FieldValues): string[] {
  const value = (name: string): JsonValue | undefined => values[name] ?? findField(name)?.default;
  const get: Getters = {
    value,
    integer: (name) => Number(value(name) ?? 0),
    durationMs: (name) => parseDuration(String(value(name) ?? '0s')),
  };
  return checks
    .map((check) => check(get))
    .filter((problem) => problem !== undefined)
    .map((problem) => `invalid configuration: ${problem}`);
}
