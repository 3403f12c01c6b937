import { createHash } from 'node:crypto';

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567';
const suffixLength = 16;

/** The start of the base32 form of a SHA-256, which makes chain names short and stable. */
function shortHash(text: string): string {
  const digest = createHash('sha256').update(text).digest();
  let bits = 0n;
  // 16 characters of 5 bits are the first 10 bytes.
  for (const byte of digest.subarray(0, 10)) bits = (bits << 8n) | BigInt(byte);
  let suffix = '';
  for (let index = suffixLength - 1; index >= 0; index--) {
    suffix += alphabet[Number((bits >> BigInt(5 * index)) & 31n)];
  }
  return suffix;
}

/** What a service chain is for, as kube-proxy's names say it. */
export type ServiceChainKind = 'SVC' | 'SVL' | 'EXT' | 'FW';

/** `KUBE-SVC-` and so on, of `ns/name:port` and protocol; equal to kube-proxy's names. */
export function serviceChain(kind: ServiceChainKind, portName: string, protocol: string): string {
  return `KUBE-${kind}-${shortHash(`${portName}${protocol}`)}`;
}

/** `KUBE-SEP-…` of one endpoint. */
export function endpointChain(portName: string, protocol: string, address: string): string {
  return `KUBE-SEP-${shortHash(`${portName}${protocol}${address}`)}`;
}

/** Chains that come and go with Services; all others are fixed. */
export const ownedChainPattern = /^KUBE-(SVC|SVL|EXT|FW|SEP)-/;
