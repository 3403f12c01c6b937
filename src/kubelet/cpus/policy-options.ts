import { K3tsError } from '#base/errors.ts';

/** cpuManagerPolicyOptions of the static policy. */
export interface StaticPolicyOptions {
  /** Containers get whole cores; others are rejected. */
  readonly isFullCoresOnly: boolean;
  /** Reserved processors are not for pods at all, not only not to be had exclusively. */
  readonly isStrictReservation: boolean;
  /** Containers stay on few last-level caches, as far as possible. */
  readonly isByCache: boolean;
}

const alphaOptions = new Set(['align-by-socket', 'distribute-cpus-across-cores']);
const notBuilt = new Set(['distribute-cpus-across-numa']);
const known: Readonly<Record<string, keyof StaticPolicyOptions>> = {
  'full-pcpus-only': 'isFullCoresOnly',
  'strict-cpu-reservation': 'isStrictReservation',
  'prefer-align-cpus-by-uncorecache': 'isByCache',
};

/**
 * Throws upstream's text for settings that no machine can follow. Without a reservation, containers
 * with processors of their own could leave none to the others.
 */
export function checkCpuPolicy(
  policy: string,
  options: Readonly<Record<string, string>>,
  hasReservation: boolean,
): void {
  const refuse = (message: string): never => {
    throw new K3tsError('InvalidKubeletConfiguration', message);
  };
  if (policy !== 'none' && policy !== 'static') refuse(`unknown policy: "${policy}"`);
  readPolicyOptions(policy, options);
  if (policy === 'none' || hasReservation) return;
  refuse(
    '[cpumanager] the static policy requires systemreserved.cpu + kubereserved.cpu to be greater than zero',
  );
}

/** Reads the options; what is unknown, alpha or not built ends the start, in upstream's words. */
export function readPolicyOptions(
  policy: string,
  given: Readonly<Record<string, string>>,
): StaticPolicyOptions {
  const options = { isFullCoresOnly: false, isStrictReservation: false, isByCache: false };
  const refuse = (message: string): never => {
    throw new K3tsError('InvalidKubeletConfiguration', message);
  };
  for (const [name, text] of Object.entries(given)) {
    if (policy === 'none') refuse(`none policy: received unsupported options=map[${name}:${text}]`);
    if (alphaOptions.has(name)) {
      refuse(`CPU Manager Policy Alpha-level Options not enabled, but option "${name}" provided`);
    }
    if (notBuilt.has(name)) refuse(`CPU Manager Policy option "${name}" is not supported by k3ts`);
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
  return options;
}
