import type { Backend } from '#store/mod.ts';
import { StoreError } from '#store/mod.ts';

const prefix = '/registry/masterleases/';
/** A server that does not renew for this long is taken off the Service. */
const leaseSeconds = 15;

/** Which API servers are alive: one key with a time to live for each, as upstream keeps them. */
export interface AddressLeases {
  /** Writes or renews the own key; call every 10 s. */
  renew(): Promise<void>;
  /** Addresses of all live servers, sorted. */
  addresses(): Promise<string[]>;
  /** Takes the own key away, on shutdown. */
  remove(): Promise<void>;
}

export function createAddressLeases(options: { backend: Backend; address: string }): AddressLeases {
  const { backend, address } = options;
  const key = prefix + address;
  let generation = 0;
  const encode = (): Buffer => {
    // Each renewal is another value, so that no store takes it for nothing to do.
    const metadata = { creationTimestamp: null, generation: ++generation };
    const subsets = [{ addresses: [{ ip: address }] }];
    return Buffer.from(JSON.stringify({ kind: 'Endpoints', apiVersion: 'v1', metadata, subsets }));
  };
  return {
    async renew() {
      const found = await backend.get(key);
      const writing = { ttlSeconds: leaseSeconds };
      try {
        if (found === undefined) await backend.create(key, encode, writing);
        else await backend.update(key, found.modRevision, encode, writing);
      } catch (error) {
        // Only the own expiry can come between: the next renewal writes it again.
        if (!(error instanceof StoreError) || !isRace(error)) throw error;
      }
    },
    async addresses() {
      const { items } = await backend.list(prefix);
      return items.map((item) => item.key.slice(prefix.length)).sort();
    },
    async remove() {
      const found = await backend.get(key);
      if (found !== undefined) await backend.delete(key, found.modRevision, () => found.value);
    },
  };
}

function isRace(error: StoreError): boolean {
  return error.code === 'KeyExists' || error.code === 'RevisionMismatch';
}
