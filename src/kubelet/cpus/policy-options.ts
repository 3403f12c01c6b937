import { K3tsError } from '#base/errors.ts';

/** cpuManagerPolicyOptions of the static policy. */
export interface StaticPolicyOptions {
  /** Containers get whole cores; others are rejected. */
  readonly isFullCoresOnly: boolean;
  /** Reserved processors are not for pods at all, not only not to be had exclusively. */
  readonly isStrictReservation: boolean;
  /** Containers stay on few last-level caches, as far as possible. */
  readonly isByCache: boolean;
  /** A container that needs several NUMA nodes gets as much of each. */
  readonly isSpreadOverNuma: boolean;
  /** NUMA nodes of one socket count as one place. */
  readonly isBySocket: boolean;
  /** Threads of as many cores as possible, not whole cores. */
  readonly isSpreadOverCores: boolean;
}

/** What of the rest of the configuration bears on the options. */
export interface PolicySurroundings {
  /** Of kubeReserved, systemReserved and reservedSystemCPUs. */
  readonly hasReservation: boolean;
  /** The feature gate CPUManagerPolicyAlphaOptions. */
  readonly hasAlphaOptions?: boolean | undefined;
  readonly topologyPolicy?: string | undefined;
}

const alphaOptions = new Set(['align-by-socket', 'distribute-cpus-across-cores']);
const known: Readonly<Record<string, keyof StaticPolicyOptions>> = {
  'full-pcpus-only': 'isFullCoresOnly',
  'strict-cpu-reservation': 'isStrictReservation',
  'prefer-align-cpus-by-uncorecache': 'isByCache',
  'distribute-cpus-across-numa': 'isSpreadOverNuma',
  'align-by-socket': 'isBySocket',
  'distribute-cpus-across-cores': 'isSpreadOverCores',
};
/** The second of each pair is of no use with the first. */
const conflicts: readonly (readonly [string, string])[] = [
  ['full-pcpus-only', 'distribute-cpus-across-cores'],
  ['distribute-cpus-across-numa', 'distribute-cpus-across-cores'],
  ['prefer-align-cpus-by-uncorecache', 'distribute-cpus-across-cores'],
];

/** No options: containers are packed. */
export const noPolicyOptions: StaticPolicyOptions = {
  isFullCoresOnly: false,
  isStrictReservation: false,
  isByCache: false,
  isSpreadOverNuma: false,
  isBySocket: false,
  isSpreadOverCores: false,
};

/**
 * Throws upstream's text for settings that no machine can follow. Without a reservation, containers
 * with processors of their own could leave none to the others.
 */
export function checkCpuPolicy(
  policy: string,
  options: Readonly<Record<string, string>>,
  { hasReservation, hasAlphaOptions = false, topologyPolicy = 'none' }: PolicySurroundings,
): void {
  const refuse = (message: string): never => {
    throw new K3tsError('InvalidKubeletConfiguration', message);
  };
  if (policy !== 'none' && policy !== 'static') refuse(`unknown policy: "${policy}"`);
  const { isBySocket } = readPolicyOptions(policy, options, hasAlphaOptions);
  if (isBySocket && topologyPolicy === 'single-numa-node') {
    refuse(
      'Topology manager single-numa-node policy is incompatible with CPUManager align-by-socket policy option',
    );
  }
  if (policy === 'none' || hasReservation) return;
  refuse(
    '[cpumanager] the static policy requires systemreserved.cpu + kubereserved.cpu to be greater than zero',
  );
}

/** Reads the options; what is unknown, alpha or in conflict ends the start, in upstream's words. */
export function readPolicyOptions(
  policy: string,
  given: Readonly<Record<string, string>>,
  hasAlphaOptions = false,
): StaticPolicyOptions {
  const options: { -readonly [Name in keyof StaticPolicyOptions]: boolean } = {
    ...noPolicyOptions,
  };
  const refuse = (message: string): never => {
    throw new K3tsError('InvalidKubeletConfiguration', message);
  };
  for (const [name, text] of Object.entries(given)) {
    if (policy === 'none') refuse(`none policy: received unsupported options=map[${name}:${text}]`);
    if (alphaOptions.has(name) && !hasAlphaOptions) {
      refuse(`CPU Manager Policy Alpha-level Options not enabled, but option "${name}" provided`);
    }
    const field = Object.hasOwn(known, name) ? known[name] : undefined;
    if (field === undefined) {
      refuse(`unknown CPU Manager Policy option: "${name}"`);
      continue;
    }
    if (!['true', 'false'].includes(text)) {
      refuse(
        `bad value for option "${name}": strconv.ParseBool: parsing "${text}": invalid syntax`,
      );
    }
    options[field] = text === 'true';
  }
  for (const [one, other] of conflicts) {
    if (given[one] !== 'true' || given[other] !== 'true') continue;
    refuse(`static policy options ${one} and ${other} can not be used at the same time`);
  }
  return options;
}
