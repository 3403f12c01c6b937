import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import type { Backend } from '#store/mod.ts';
import type { AdmissionChain } from './pipeline/admission-chain.ts';
import type { Authorizer } from './authz/authorizer.ts';
import type { WatchCache } from './cache/mod.ts';
import type { EncryptionState } from './encryption/mod.ts';
import type { KeyLocks } from './pipeline/key-locks.ts';
import type { ResourceRegistry } from './resource-registry.ts';
import type { ObjectStore } from './storage/object-store.ts';
import type { VirtualResources } from './virtual-resource.ts';

/** What the handlers of all verbs work with; made once by createApiServer. */
export interface Core {
  readonly backend: Backend;
  readonly cache: WatchCache;
  readonly store: ObjectStore;
  readonly registry: ResourceRegistry;
  readonly admission: AdmissionChain;
  readonly authorizer: Authorizer;
  readonly locks: KeyLocks;
  readonly virtual: VirtualResources;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  /** Shortest life of a watch that names none; upstream's 30 minutes when absent. */
  readonly minWatchTimeoutMs?: number | undefined;
  /** What is known of values that are encrypted at rest; absent when none is. */
  readonly encryption?: EncryptionState | undefined;
  /** Life of Events; upstream's hour when absent. */
  readonly eventTtlSeconds?: number | undefined;
}
