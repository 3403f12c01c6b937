import { readlink, rm, stat } from 'node:fs/promises';
import type { Clock } from '#base/clock.ts';
import { hasCode, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { listNetns, netnsPath, removeNetns } from '#host/netns.ts';
import { listProcesses } from '#host/process-list.ts';
import { ownerOf, resultFiles } from './cni-files.ts';
import type { Predecessor } from './predecessor.ts';

/** The network namespaces of sandboxes on this machine, by name. */
export interface SandboxNamespaces {
  list(): Promise<string[]>;
  /** Those that no process is in. */
  unused(): Promise<ReadonlySet<string>>;
  remove(name: string): Promise<void>;
}

export interface LeakedNetworksOptions {
  readonly namespaces: SandboxNamespaces;
  /** Where the CNI plugins keep addresses and results. */
  readonly cniState: string;
  /** Ids of all containers and sandboxes that containerd knows. */
  readonly containerIds: () => Promise<ReadonlySet<string>>;
  readonly log: Logger;
}

const periodMs = 10_000;
const looks = 6;
/** containerd names the namespaces of its pods so. */
const ownPrefix = 'cni-';

/**
 * A containerd killed between making the network of a sandbox and noting the sandbox knows nothing
 * of it afterwards: the namespace and the address would be taken for ever. Looks for a minute at
 * what was there when the containerd that runs now had begun; what that one makes is not touched.
 */
export async function watchLeakedNetworks(
  predecessor: Predecessor,
  options: LeakedNetworksOptions & { clock: Clock; signal: AbortSignal },
): Promise<void> {
  const { clock, log, signal } = options;
  /** What the look before found to belong to nobody. */
  let suspects: ReadonlySet<string> = new Set();
  for (let look = 0; look < looks; look += 1) {
    await clock.sleep(periodMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    try {
      const found = await unused(predecessor, options);
      for (const [item, remove] of found) {
        if (!suspects.has(item)) continue;
        log.warning('removing the network of a sandbox that containerd has forgotten', { item });
        await remove();
        found.delete(item);
      }
      suspects = new Set(found.keys());
    } catch (error) {
      log.debug('cannot look for leaked networks', { error: messageOf(error) });
    }
  }
}

/** Which of these nobody uses now, and how each is removed. */
async function unused(
  { namespaces, addresses }: Predecessor,
  options: LeakedNetworksOptions,
): Promise<Map<string, () => Promise<void>>> {
  const { cniState } = options;
  const found = new Map<string, () => Promise<void>>();
  const empty = await options.namespaces.unused();
  for (const name of namespaces) {
    if (empty.has(name)) found.set(name, () => options.namespaces.remove(name));
  }
  const known = await options.containerIds();
  for (const { path, owner } of addresses) {
    // An address may be somebody else's by now.
    if (known.has(owner) || (await ownerOf(path)) !== owner) continue;
    found.set(path, async () => {
      const results = (await resultFiles(cniState)).filter((file) => file.includes(owner));
      for (const file of [path, ...results]) await rm(file, { force: true });
    });
  }
  return found;
}

export const sandboxNamespaces: SandboxNamespaces = {
  list: async () => (await listNetns()).filter((name) => name.startsWith(ownPrefix)),
  async unused() {
    const links = await Promise.all(
      // A process that ends meanwhile uses nothing.
      (await listProcesses()).map(({ pid }) =>
        readlink(`/proc/${pid}/ns/net`).catch(() => undefined),
      ),
    );
    const used = new Set(links.map((link) => Number(/\d+/.exec(link ?? '')?.[0])));
    const empty = new Set<string>();
    for (const name of await sandboxNamespaces.list()) {
      const inode = await inodeOf(netnsPath(name));
      if (inode !== undefined && !used.has(inode)) empty.add(name);
    }
    return empty;
  },
  remove: removeNetns,
};

async function inodeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).ino;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return undefined;
    throw error;
  }
}
