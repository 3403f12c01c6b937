import type { Clock } from '#base/clock.ts';
import { statFilesystem } from '#host/disk.ts';
import type { Pod } from '#schema/types.ts';
import type { FilesystemState } from '../machine-info.ts';
import { containersOf, namespaceOf, specOf, uidOf } from '../pods/names.ts';
import type { MountedVolumes } from '../volume-host.ts';
import { claimNameOf } from './claims.ts';

/** The file system of a pod's volume that a claim brought. */
export interface ClaimUsage {
  readonly volumeName: string;
  readonly claim: { readonly name: string; readonly namespace: string };
  readonly fs: FilesystemState;
}

/** Answers nothing of volumes whose server does not answer within this time. */
const timeoutMs = 2_000;

/**
 * Looks at the volumes of claims that are mounted. Directories of the machine (hostPath) and
 * devices are left out, as upstream: they tell nothing of the volume. One that hangs is asked once
 * only.
 */
export function createClaimUsageReader(options: {
  clock: Clock;
  mounted: (podUid: string) => MountedVolumes;
  stat?: ((path: string) => Promise<FilesystemState>) | undefined;
}): (pod: Pod) => Promise<ClaimUsage[]> {
  const { clock, mounted, stat = statFilesystem } = options;
  const asked = new Map<string, Promise<FilesystemState | undefined>>();

  const ask = (path: string): Promise<FilesystemState | undefined> => {
    const known = asked.get(path);
    if (known !== undefined) return known;
    const answer = stat(path)
      .catch(() => undefined)
      .finally(() => asked.delete(path));
    asked.set(path, answer);
    return answer;
  };
  const askInTime = async (path: string): Promise<FilesystemState | undefined> => {
    const late = new AbortController();
    const waiting = clock.sleep(timeoutMs, late.signal).catch(() => undefined);
    try {
      return await Promise.race([ask(path), waiting.then(() => undefined)]);
    } finally {
      late.abort();
    }
  };

  return async (pod) => {
    const places = mounted(uidOf(pod));
    const devices = new Set(
      containersOf(pod).flatMap(({ container }) =>
        (container.volumeDevices ?? []).map(({ name }) => name),
      ),
    );
    const found = await Promise.all(
      (specOf(pod).volumes ?? []).map(async (volume): Promise<ClaimUsage[]> => {
        const name = claimNameOf(pod, volume);
        const place = places.get(volume.name);
        if (name === undefined || place === undefined || place.isHostPath === true) return [];
        if (devices.has(volume.name)) return [];
        const fs = await askInTime(place.hostPath);
        if (fs === undefined) return [];
        return [{ volumeName: volume.name, claim: { name, namespace: namespaceOf(pod) }, fs }];
      }),
    );
    return found.flat();
  };
}
