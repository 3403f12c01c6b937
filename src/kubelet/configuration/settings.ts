import { parseDuration } from '#base/duration.ts';
import { parseQuantity, quantityValue } from '#base/quantity.ts';
import { defaultKubeletConfig } from '../kubelet-config.ts';
import type { VerificationPolicy } from '../images/pull-policy.ts';
import type { KubeletConfig, ShutdownPeriod } from '../kubelet-config.ts';
import { parseCpuSet } from '../cpus/mod.ts';
import { reservedMemoryOf } from './numa-settings.ts';
import type { JsonValue } from './field.ts';
import { fieldTable, findField } from './field-table.ts';
import type { KubeletConfiguration } from './read-configuration.ts';
import type { FieldValues } from './read-file.ts';

/** Priority from which pods belong to the system. */
const systemCriticalPriority = 2_000_000_000;

/** The settings that were given, ready to be laid over the defaults of the distribution. */
export function kubeletSettings({ given }: KubeletConfiguration): Partial<KubeletConfig> {
  const settings: { -readonly [Name in keyof KubeletConfig]?: KubeletConfig[Name] } = {};
  for (const [name, set] of Object.entries(setters)) {
    const value = given[name];
    if (value !== undefined) Object.assign(settings, set(value, given));
  }
  const shutdownPeriods = shutdownPeriodsOf(given);
  if (shutdownPeriods.length > 0) settings.shutdownPeriods = shutdownPeriods;
  return settings;
}

type Setter = (value: JsonValue, given: FieldValues) => Partial<KubeletConfig>;

const ms = (value: JsonValue): number => parseDuration(String(value));
const texts = (value: JsonValue): string[] =>
  Array.isArray(value) ? value.map((one) => String(one)) : [];
const map = (value: JsonValue): Record<string, string> =>
  Object.fromEntries(Object.entries(value ?? {}).map(([key, one]) => [key, String(one)]));

const setters: Readonly<Record<string, Setter>> = {
  staticPodPath: (value) => ({ staticPodPath: String(value) }),
  staticPodURL: (value) => ({ staticPodUrl: String(value) }),
  staticPodURLHeader: (value) => ({
    staticPodUrlHeaders: Object.fromEntries(
      Object.entries(value ?? {}).map(([key, list]) => [key, texts(list as JsonValue)]),
    ),
  }),
  fileCheckFrequency: (value) => ({ fileCheckMs: ms(value) }),
  httpCheckFrequency: (value) => ({ httpCheckMs: ms(value) }),
  syncFrequency: (value) => ({ syncFrequencyMs: ms(value) }),
  clusterDomain: (value) => ({ clusterDomain: String(value) }),
  clusterDNS: (value) => ({ clusterDns: texts(value) }),
  allowedUnsafeSysctls: (value) => ({ allowedUnsafeSysctls: texts(value) }),
  seccompDefault: (value) => ({ isSeccompDefault: value === true }),
  'crashLoopBackOff.maxContainerRestartPeriod': (value) => ({
    maxContainerRestartPeriodMs: ms(value),
  }),
  registerNode: (value) => ({ registerNode: value === true }),
  registerWithTaints: (value) => ({
    nodeTaints: (value as readonly Record<string, JsonValue>[]).map(
      ({ key, value: text, effect }) => ({
        key: String(key),
        ...(text === undefined ? {} : { value: String(text) }),
        effect: String(effect),
      }),
    ),
  }),
  providerID: (value) => ({ providerId: String(value) }),
  maxPods: (value) => ({ maxPods: Number(value) }),
  podsPerCore: (value) => ({ podsPerCore: Number(value) }),
  nodeStatusMaxImages: (value) => ({ nodeStatusMaxImages: Number(value) }),
  // A node that is looked at often is reported as often, unless that is said, too.
  nodeStatusUpdateFrequency: (value, given) => ({
    nodeStatusUpdateFrequencyMs: ms(value),
    ...(given['nodeStatusReportFrequency'] === undefined
      ? { nodeStatusReportFrequencyMs: ms(value) }
      : {}),
  }),
  nodeStatusReportFrequency: (value) => ({ nodeStatusReportFrequencyMs: ms(value) }),
  nodeLeaseDurationSeconds: (value) => ({ nodeLeaseDurationSeconds: Number(value) }),
  port: (value) => ({ kubeletPort: Number(value) }),
  imageMinimumGCAge: (value) => ({ imageMinimumGcAgeMs: ms(value) }),
  imageMaximumGCAge: (value) => ({ imageMaximumGcAgeMs: ms(value) }),
  // Upstream's default is one pull at a time; here that must be asked for.
  serializeImagePulls: (value) => (value === true ? { maxParallelImagePulls: 1 } : {}),
  maxParallelImagePulls: (value) => ({ maxParallelImagePulls: Number(value) }),
  imagePullCredentialsVerificationPolicy: (value) => ({
    pullVerification: value as VerificationPolicy,
  }),
  preloadedImagesVerificationAllowlist: (value) => ({ pullAllowlist: texts(value) }),
  imageGCHighThresholdPercent: (value) => ({ imageGcHighThresholdPercent: Number(value) }),
  imageGCLowThresholdPercent: (value) => ({ imageGcLowThresholdPercent: Number(value) }),
  containerLogMaxSize: (value) => ({
    containerLogMaxSizeBytes: quantityValue(parseQuantity(String(value))),
  }),
  containerLogMaxFiles: (value) => ({ containerLogMaxFiles: Number(value) }),
  cpuCFSQuota: (value) => ({ hasCpuQuota: value === true }),
  cpuCFSQuotaPeriod: (value) => ({ cpuQuotaPeriodUs: ms(value) * 1000 }),
  cpuManagerPolicy: (value) => ({ cpuManagerPolicy: String(value) }),
  cpuManagerPolicyOptions: (value) => ({ cpuManagerPolicyOptions: map(value) }),
  featureGates: (value) =>
    map(value)['CPUManagerPolicyAlphaOptions'] === 'true' ? { hasCpuAlphaOptions: true } : {},
  topologyManagerPolicy: (value) => ({ topologyManagerPolicy: String(value) }),
  topologyManagerScope: (value) => ({ topologyManagerScope: String(value) }),
  topologyManagerPolicyOptions: (value) => ({ topologyManagerPolicyOptions: map(value) }),
  memoryManagerPolicy: (value) => ({ memoryManagerPolicy: String(value) }),
  reservedMemory: (value) => ({ reservedMemory: reservedMemoryOf(value) }),
  cpuManagerReconcilePeriod: (value) => ({ cpuManagerReconcileMs: ms(value) }),
  singleProcessOOMKill: (value) => ({ isSingleProcessOomKill: value === true }),
  'memorySwap.swapBehavior': (value) => ({ hasLimitedSwap: value === 'LimitedSwap' }),
  protectKernelDefaults: (value) => ({ protectsKernelDefaults: value === true }),
  oomScoreAdj: (value) => ({ oomScoreAdj: Number(value) }),
  containerLogMonitorInterval: (value) => ({ containerLogMonitorMs: ms(value) }),
  localStorageCapacityIsolation: (value) => ({ hasLocalStorage: value === true }),
  failSwapOn: (value) => ({ failsOnSwap: value === true }),
  failCgroupV1: (value) => ({ failsOnCgroupV1: value === true }),
  enforceNodeAllocatable: (value) => ({ enforceNodeAllocatable: texts(value) }),
  systemReservedCgroup: (value) => ({ systemReservedCgroup: String(value) }),
  kubeReservedCgroup: (value) => ({ kubeReservedCgroup: String(value) }),
  podPidsLimit: (value) => ({ podPidsLimit: Number(value) }),
  systemReserved: (value) => ({ systemReserved: map(value) }),
  kubeReserved: (value) => ({ kubeReserved: map(value) }),
  // Processors by number take the place of amounts, as upstream.
  reservedSystemCPUs(value, given) {
    if (value === '') return {};
    const { cpu: _cpu, ...kubeReserved } = map(given['kubeReserved'] ?? {});
    const count = parseCpuSet(String(value)).size;
    const systemReserved = { ...map(given['systemReserved'] ?? {}), cpu: String(count) };
    return { kubeReserved, systemReserved, reservedCpus: String(value) };
  },
  evictionHard: (value, given) => ({
    evictionHard:
      given['mergeDefaultEvictionSettings'] === true
        ? { ...defaultKubeletConfig.evictionHard, ...map(value) }
        : map(value),
  }),
  evictionSoft: (value) => ({ evictionSoft: map(value) }),
  evictionSoftGracePeriod: (value) => ({
    evictionSoftGraceMs: Object.fromEntries(
      Object.entries(map(value)).map(([signal, text]) => [signal, ms(text)]),
    ),
  }),
  evictionMinimumReclaim: (value) => ({ evictionMinimumReclaim: map(value) }),
  evictionMaxPodGracePeriod: (value) => ({ evictionMaxPodGraceSeconds: Number(value) }),
  evictionPressureTransitionPeriod: (value) => ({ evictionPressureTransitionMs: ms(value) }),
};

/** Regular pods go first, then those of the system; lowest priority first. */
function shutdownPeriodsOf(given: FieldValues): ShutdownPeriod[] {
  const byPriority = given['shutdownGracePeriodByPodPriority'];
  if (Array.isArray(byPriority) && byPriority.length > 0) {
    return (byPriority as readonly Record<string, JsonValue>[])
      .map(({ priority, shutdownGracePeriodSeconds }) => ({
        priority: Number(priority ?? 0),
        periodMs: Number(shutdownGracePeriodSeconds ?? 0) * 1000,
      }))
      .sort((a, b) => a.priority - b.priority);
  }
  const allMs = ms(given['shutdownGracePeriod'] ?? '0s');
  if (allMs === 0) return [];
  const criticalMs = ms(given['shutdownGracePeriodCriticalPods'] ?? '0s');
  return [
    { priority: 0, periodMs: allMs - criticalMs },
    { priority: systemCriticalPriority, periodMs: criticalMs },
  ];
}

/** Settings of the kubelet's own API. */
export interface KubeletApiSettings {
  readonly address: string | undefined;
  readonly port: number;
  /** 0 for none. */
  readonly healthzPort: number;
  readonly healthzAddress: string;
  readonly tokenCacheMs: number;
  readonly allowedCacheMs: number;
  readonly deniedCacheMs: number;
  readonly hasDebuggingHandlers: boolean;
  readonly hasSystemLogs: boolean;
}

export function kubeletApiSettings({ given }: KubeletConfiguration): KubeletApiSettings {
  const value = (name: string): JsonValue => given[name] ?? findField(name)?.default ?? null;
  const { address } = given;
  return {
    address: address === undefined ? undefined : String(address),
    port: Number(value('port')),
    healthzPort: Number(value('healthzPort')),
    healthzAddress: String(value('healthzBindAddress')),
    tokenCacheMs: ms(value('authentication.webhook.cacheTTL')),
    allowedCacheMs: ms(value('authorization.webhook.cacheAuthorizedTTL')),
    deniedCacheMs: ms(value('authorization.webhook.cacheUnauthorizedTTL')),
    hasDebuggingHandlers: value('enableDebuggingHandlers') === true,
    hasSystemLogs: value('enableSystemLogHandler') === true,
  };
}

/**
 * KubeletConfiguration as /configz shows it: every field with its default or what was set, `more`
 * being what the distribution sets itself.
 */
export function shownConfiguration(
  { given }: KubeletConfiguration,
  more: Readonly<Record<string, JsonValue>>,
): object {
  const shown: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(fieldTable)) {
    const value = given[name] ?? more[name] ?? field.default;
    if (value === undefined) continue;
    const path = name.split('.');
    let target = shown;
    for (const part of path.slice(0, -1)) {
      target = (target[part] ??= {}) as Record<string, unknown>;
    }
    target[path.at(-1) ?? ''] = value;
  }
  return shown;
}
