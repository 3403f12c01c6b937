import { messageOf } from '#base/errors.ts';
import { isZeroQuantity, parseQuantity } from '#base/quantity.ts';
import { checkCpuPolicy } from '../cpus/mod.ts';
import type { JsonValue } from './field.ts';

/**
 * What is wrong with the CPU manager's settings, in upstream's words; undefined when that depends on
 * the machine. Known before anything is started, where upstream's kubelet ends later.
 */
export function cpuPolicyProblem(
  value: (name: string) => JsonValue | undefined,
): string | undefined {
  const policy = String(value('cpuManagerPolicy') ?? 'none');
  const options = Object.entries(value('cpuManagerPolicyOptions') ?? {}).map(
    ([name, text]): [string, string] => [name, String(text)],
  );
  const hasReservation =
    String(value('reservedSystemCPUs') ?? '') !== '' ||
    ['kubeReserved', 'systemReserved'].some((name) => isReserved(value(name)));
  try {
    const gates = Object.entries(value('featureGates') ?? {});
    checkCpuPolicy(policy, Object.fromEntries(options), {
      hasReservation,
      hasAlphaOptions: gates.some(
        ([name, isOn]) => name === 'CPUManagerPolicyAlphaOptions' && String(isOn) === 'true',
      ),
      topologyPolicy: String(value('topologyManagerPolicy') ?? 'none'),
    });
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/** Quantities that cannot be read are told by another check. */
function isReserved(amounts: JsonValue | undefined): boolean {
  const cpu = Object.entries(amounts ?? {}).find(([name]) => name === 'cpu')?.[1];
  if (cpu === undefined) return false;
  try {
    return !isZeroQuantity(parseQuantity(String(cpu)));
  } catch {
    return true;
  }
}
