import { messageOf } from '#base/errors.ts';
import { StoreError } from '../../errors.ts';

const grpcUnavailable = 14;
const grpcExhausted = 8;

/** What etcd says of a read below its compaction, and of one ahead of its newest revision. */
const compactedText = 'required revision has been compacted';
const futureText = 'required revision is a future revision';
const leaseExistsText = 'lease already exists';
const leaseGoneText = 'requested lease not found';

export function isCompacted(error: unknown): boolean {
  return messageOf(error).includes(compactedText);
}

export function isFutureRevision(error: unknown): boolean {
  return messageOf(error).includes(futureText);
}

export function isLeaseTaken(error: unknown): boolean {
  return messageOf(error).includes(leaseExistsText);
}

export function isLeaseGone(error: unknown): boolean {
  return messageOf(error).includes(leaseGoneText);
}

/** True when the call never left this process, so that another endpoint may take it. */
export function wasNotSent(error: unknown): boolean {
  if ((error as { code?: unknown }).code !== grpcUnavailable) return false;
  return /No connection established|Name resolution failed/.test(messageOf(error));
}

/** How gRPC words that it has no connection, around the reason that people can use. */
const unconnected =
  /^No connection established\. Last error: (?:Error: )?(.*?) Resolution note: .*$/s;

/** A failed call as an error of the store. */
export function unavailable(error: unknown, key?: string): StoreError {
  if (error instanceof StoreError) return error;
  const text = messageOf(error)
    .replace(/^\d+ [A-Z_]+: /, '')
    .replace(unconnected, (_all, reason: string) => reason.replace(/\.$/, ''));
  const details = { cause: error, ...(key === undefined ? {} : { key }) };
  const refusal = refusalOf(error, text);
  if (refusal !== undefined) return new StoreError('Refused', refusal, details);
  return new StoreError('Unavailable', `etcd: ${text}`, details);
}

/** What etcd itself found wrong with a request, as upstream passes it on to users. */
function refusalOf(error: unknown, text: string): string | undefined {
  const { code } = error as { code?: unknown };
  if (typeof code !== 'number' || code === grpcUnavailable) return undefined;
  if (text.startsWith('etcdserver: ')) return text;
  return code === grpcExhausted ? `rpc error: code = ResourceExhausted desc = ${text}` : undefined;
}

export function compacted(revision: number, compactRevision: number): StoreError {
  return new StoreError(
    'Compacted',
    `Revision ${revision} has been compacted, the oldest is ${compactRevision}`,
    { compactRevision },
  );
}

export function futureRevision(revision: number, current: number): StoreError {
  const text = `Revision ${revision} is in the future, the newest is ${current}`;
  return new StoreError('FutureRevision', text);
}
