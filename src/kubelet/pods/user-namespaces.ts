import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { hasCode, K3tsError } from '#base/errors.ts';
import { writeFileAtomic } from '#host/atomic-file.ts';
import type { Pod } from '#schema/types.ts';
import type { RuntimeStatus, UserNamespace } from '../cri/mod.ts';
import { specOf, uidOf } from './names.ts';

/** Users of a pod; the first block of this size is left to the machine. */
const idsPerPod = 65_536;
const maxBlocks = 65_535;

/** Gives pods with `hostUsers: false` users of their own; which ones is kept in `pods/<uid>/userns`. */
export interface UserNamespaces {
  /** Undefined for pods with the machine's users. Throws upstream's text where it cannot be had. */
  of(pod: Pod, runtimeHandler: string): Promise<UserNamespace | undefined>;
  release(podUid: string): void;
}

export function createUserNamespaces(options: {
  rootDir: string;
  runtimeStatus: () => RuntimeStatus | undefined;
}): UserNamespaces {
  const directory = join(options.rootDir, 'pods');
  const blocks = new Map<string, number>();
  let loading: Promise<void> | undefined;

  const load = async (): Promise<void> => {
    const uids = await readdir(directory).catch((error: unknown) => {
      if (hasCode(error, 'ENOENT')) return [];
      throw error;
    });
    for (const uid of uids) {
      const text = await readFile(join(directory, uid, 'userns'), 'utf8').catch(() => undefined);
      if (text === undefined) continue;
      const { uidMappings } = JSON.parse(text) as { uidMappings?: { hostId?: number }[] };
      const block = (uidMappings?.[0]?.hostId ?? 0) / idsPerPod;
      if (Number.isInteger(block) && block > 0) blocks.set(uid, block);
    }
  };
  const allocate = async (uid: string): Promise<number> => {
    const taken = new Set(blocks.values());
    let block = 1;
    while (taken.has(block)) block += 1;
    if (block > maxBlocks) throw new K3tsError('UserNamespace', 'no free users are left');
    blocks.set(uid, block);
    const mapping = [{ hostId: block * idsPerPod, containerId: 0, length: idsPerPod }];
    const text = JSON.stringify({ uidMappings: mapping, gidMappings: mapping });
    await writeFileAtomic(join(directory, uid, 'userns'), text);
    return block;
  };

  return {
    async of(pod, runtimeHandler) {
      if (specOf(pod).hostUsers !== false) return undefined;
      checkSupport(options.runtimeStatus(), runtimeHandler);
      loading ??= load();
      await loading;
      const uid = uidOf(pod);
      const block = blocks.get(uid) ?? (await allocate(uid));
      const mapping = [{ hostId: block * idsPerPod, containerId: 0, length: idsPerPod }];
      return { mode: 'POD', uids: mapping, gids: mapping };
    },
    release: (uid) => void blocks.delete(uid),
  };
}

function checkSupport(status: RuntimeStatus | undefined, runtimeHandler: string): void {
  const handler = status?.runtimeHandlers.find(({ name }) => name === runtimeHandler);
  if (handler?.features?.userNamespaces === true) return;
  throw new K3tsError(
    'UserNamespace',
    runtimeHandler === ''
      ? "can't set `spec.hostUsers: false`, runtime does not support user namespaces"
      : `can't set \`spec.hostUsers: false\`, RuntimeClass handler "${runtimeHandler}" does not support user namespaces`,
  );
}
