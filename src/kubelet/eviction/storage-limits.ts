import { formatQuantity, parseQuantity, quantityOf, quantityValue } from '#base/quantity.ts';
import { podLimits } from '#schema/pods/mod.ts';
import type { Pod } from '#schema/types.ts';
import { specOf } from '../pods/names.ts';
import { limitText } from './eviction-text.ts';
import type { PodUse } from './pod-usage.ts';

const resource = 'ephemeral-storage';

/** Whether a pod has any limit that its files must be counted for. */
export function hasStorageLimits(pod: Pod): boolean {
  const { containers, volumes = [], resources } = specOf(pod);
  return (
    resources?.limits?.[resource] !== undefined ||
    containers.some((container) => container.resources?.limits?.[resource] !== undefined) ||
    volumes.some(({ emptyDir }) => bytesOf(emptyDir?.sizeLimit) > 0)
  );
}

/** Which limit of its own a pod is over, in upstream's words; undefined when it keeps them. */
export function exceededLimit(use: PodUse): string | undefined {
  return overEmptyDir(use) ?? overPod(use) ?? overContainer(use);
}

function overEmptyDir({ pod, emptyDirs }: PodUse): string | undefined {
  for (const { name, emptyDir } of specOf(pod).volumes ?? []) {
    const limit = bytesOf(emptyDir?.sizeLimit);
    if (limit === 0 || (emptyDirs.get(name)?.bytes ?? 0) <= limit) continue;
    return `Usage of EmptyDir volume "${name}" exceeds the limit "${limitText(emptyDir?.sizeLimit ?? '')}". `;
  }
  return undefined;
}

/** Counts only when every container has a limit, or the pod has one of its own. */
function overPod({ pod, storageBytes }: PodUse): string | undefined {
  const { containers, resources } = specOf(pod);
  const hasOwn = resources?.limits?.[resource] !== undefined;
  const hasAll = containers.every((one) => one.resources?.limits?.[resource] !== undefined);
  if (!hasOwn && !hasAll) return undefined;
  const limit = podLimits(pod).get(resource) ?? 0;
  if (limit === 0 || storageBytes <= limit) return undefined;
  const shown = formatQuantity(quantityOf(limit, 'BinarySI'));
  return `Pod ephemeral local storage usage exceeds the total limit of containers ${shown}. `;
}

function overContainer({ pod, containers }: PodUse): string | undefined {
  for (const { name, resources } of specOf(pod).containers) {
    const text = resources?.limits?.[resource];
    const limit = bytesOf(text);
    if (limit === 0 || (containers.get(name)?.storageBytes ?? 0) <= limit) continue;
    return `Container ${name} exceeded its local ephemeral storage limit "${limitText(text ?? '')}". `;
  }
  return undefined;
}

function bytesOf(text: string | undefined): number {
  return text === undefined ? 0 : quantityValue(parseQuantity(text));
}

/** What a limit of a pod's own is called where evictions are counted. */
export function limitSignal(message: string): string {
  if (message.startsWith('Usage of EmptyDir')) return 'emptydirfs.limit';
  return message.startsWith('Container ') ? 'ephemeralcontainerfs.limit' : 'ephemeralpodfs.limit';
}
