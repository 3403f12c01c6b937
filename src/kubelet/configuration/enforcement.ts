import type { JsonValue } from './field.ts';

type Value = (name: string) => JsonValue | undefined;

const cgroupFields: Readonly<Record<string, readonly [field: string, flag: string]>> = {
  'system-reserved': ['systemReservedCgroup', 'system-reserved-cgroup'],
  'system-reserved-compressible': ['systemReservedCgroup', 'system-reserved-cgroup'],
  'kube-reserved': ['kubeReservedCgroup', 'kube-reserved-cgroup'],
  'kube-reserved-compressible': ['kubeReservedCgroup', 'kube-reserved-cgroup'],
};
const shownField = 'enforceNodeAllocatable (--enforce-node-allocatable)';

/** What is wrong with enforceNodeAllocatable, in upstream's words. */
export function enforcementProblem(value: Value): string | undefined {
  const list = value('enforceNodeAllocatable');
  const keys = Array.isArray(list) ? list.map(String) : [];
  for (const name of ['system-reserved', 'kube-reserved']) {
    if (keys.includes(name) && keys.includes(`${name}-compressible`)) {
      return `both "${name}" and "${name}-compressible" cannot be specified together in ${shownField}`;
    }
  }
  for (const [index, key] of keys.entries()) {
    if (keys.indexOf(key) < index) return `duplicated enforcements "${key}" in ${shownField}`;
    if (key === 'none' && keys.length > 1) {
      return `${shownField} may not contain additional enforcements when "none" is specified`;
    }
    if (key === 'pods' || key === 'none') continue;
    const cgroup = Object.hasOwn(cgroupFields, key) ? cgroupFields[key] : undefined;
    if (cgroup === undefined) {
      return `option "${key}" specified for ${shownField}. Valid options are "pods", "system-reserved", "system-reserved-compressible", "kube-reserved", "kube-reserved-compressible" or "none"`;
    }
    const [field, flag] = cgroup;
    const name = key.replace('-compressible', '');
    if (text(value(field)) === '') {
      return `${field} (--${flag}) must be specified when "${name}" or "${name}-compressible" included in ${shownField}`;
    }
  }
  return undefined;
}

/** Processors by number take the place of amounts: cgroups cannot have both. */
export function reservationProblem(value: Value): string | undefined {
  if (text(value('reservedSystemCPUs')) === '') return undefined;
  const hasCgroup = ['systemReservedCgroup', 'kubeReservedCgroup'].some(
    (name) => text(value(name)) !== '',
  );
  if (!hasCgroup) return undefined;
  return "can't use reservedSystemCPUs (--reserved-cpus) with systemReservedCgroup (--system-reserved-cgroup) or kubeReservedCgroup (--kube-reserved-cgroup)";
}

function text(value: JsonValue | undefined): string {
  return typeof value === 'string' ? value : '';
}
