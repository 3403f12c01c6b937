import type { Method } from './connection.ts';
import {
  decodeHeader,
  decodeRange,
  decodeStatus,
  decodeTxn,
  decodeWatch,
  type RangeResponse,
  type TxnResponse,
  type WatchResponse,
} from './messages.ts';

/** The calls of etcd's v3 API that a Kubernetes API server needs. */
export const rangeMethod: Method<RangeResponse> = {
  path: '/etcdserverpb.KV/Range',
  decode: decodeRange,
};
export const txnMethod: Method<TxnResponse> = { path: '/etcdserverpb.KV/Txn', decode: decodeTxn };
export const compactMethod: Method<{ revision: number }> = {
  path: '/etcdserverpb.KV/Compact',
  decode: decodeHeader,
};
export const leaseGrantMethod: Method<{ revision: number }> = {
  path: '/etcdserverpb.Lease/LeaseGrant',
  decode: decodeHeader,
};
export const statusMethod: Method<{ version: string; sizeBytes: number }> = {
  path: '/etcdserverpb.Maintenance/Status',
  decode: decodeStatus,
};
export const watchMethod: Method<WatchResponse> = {
  path: '/etcdserverpb.Watch/Watch',
  decode: decodeWatch,
};

/** The end of the range of keys with this prefix; for no prefix the one that means all keys. */
export function rangeEndOf(prefix: string): Buffer {
  const bytes = Buffer.from(prefix);
  for (let at = bytes.length - 1; at >= 0; at--) {
    const byte = bytes[at] as number;
    if (byte === 0xff) continue;
    const end = Buffer.from(bytes.subarray(0, at + 1));
    end[at] = byte + 1;
    return end;
  }
  return Buffer.from([0]);
}

/** The first key of a range: etcd takes no empty ones. */
export function rangeStartOf(key: string): string {
  return key === '' ? '\0' : key;
}
