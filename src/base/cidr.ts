import { K3tsError } from './errors.ts';

/** An IP address as a number of 32 or 128 bits. */
export interface IpAddress {
  readonly family: 4 | 6;
  readonly value: bigint;
}

/** A range of addresses. `address` is what the text said, `network` has the host bits cleared. */
export interface Cidr {
  readonly family: 4 | 6;
  readonly address: bigint;
  readonly network: bigint;
  readonly prefixLength: number;
}

const ipv4Part = /^(?:0|[1-9][0-9]{0,2})$/;
const ipv6Part = /^[0-9a-fA-F]{1,4}$/;

function widthBits(family: 4 | 6): number {
  return family === 4 ? 32 : 128;
}

/** Undefined unless there are four decimal parts without leading zeros. */
function ipv4Value(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    if (!ipv4Part.test(part)) return undefined;
    const octet = Number(part);
    if (octet > 255) return undefined;
    value = value * 256 + octet;
  }
  return value;
}

/** The 16-bit words of one side of `::`; the last two may be written as an IPv4 address. */
function ipv6Words(text: string, isLast: boolean): number[] | undefined {
  if (text === '') return [];
  const words: number[] = [];
  const parts = text.split(':');
  for (const [index, part] of parts.entries()) {
    if (part.includes('.')) {
      const tail = isLast && index === parts.length - 1 ? ipv4Value(part) : undefined;
      if (tail === undefined) return undefined;
      words.push(tail >>> 16, tail & 0xffff);
    } else if (ipv6Part.test(part)) {
      words.push(Number.parseInt(part, 16));
    } else {
      return undefined;
    }
  }
  return words;
}

function ipv6Value(text: string): bigint | undefined {
  const sides = text.split('::');
  if (sides.length > 2 || text.length > 45) return undefined;
  const [headText = '', tailText] = sides;
  const head = ipv6Words(headText, tailText === undefined);
  const tail = tailText === undefined ? [] : ipv6Words(tailText, true);
  if (head === undefined || tail === undefined) return undefined;
  const missing = 8 - head.length - tail.length;
  if (tailText === undefined ? missing !== 0 : missing < 1) return undefined;
  let value = 0n;
  for (const word of [...head, ...Array.from({ length: missing }, () => 0), ...tail]) {
    value = (value << 16n) | BigInt(word);
  }
  return value;
}

/** The address, or undefined; strict as Go: no leading zeros, no zone, nothing around it. */
export function tryParseIp(text: string): IpAddress | undefined {
  if (text.includes(':')) {
    const value = ipv6Value(text);
    return value === undefined ? undefined : { family: 6, value };
  }
  const value = ipv4Value(text);
  return value === undefined ? undefined : { family: 4, value: BigInt(value) };
}

/** Throws K3tsError InvalidIp. */
export function parseIp(text: string): IpAddress {
  const address = tryParseIp(text);
  if (address === undefined) throw new K3tsError('InvalidIp', `invalid IP address: ${text}`);
  return address;
}

/** The range, or undefined when the text is none. */
export function tryParseCidr(text: string): Cidr | undefined {
  const slash = text.indexOf('/');
  if (slash < 0) return undefined;
  const address = tryParseIp(text.slice(0, slash));
  const lengthText = text.slice(slash + 1);
  if (address === undefined || !ipv4Part.test(lengthText)) return undefined;
  const prefixLength = Number(lengthText);
  if (prefixLength > widthBits(address.family)) return undefined;
  return createCidr(address, prefixLength);
}

/** Throws K3tsError InvalidCidr with the text of Go. */
export function parseCidr(text: string): Cidr {
  const cidr = tryParseCidr(text);
  if (cidr === undefined) throw new K3tsError('InvalidCidr', `invalid CIDR address: ${text}`);
  return cidr;
}

/** The range of this prefix length that holds the address. */
export function createCidr(address: IpAddress, prefixLength: number): Cidr {
  const hostBits = BigInt(widthBits(address.family) - prefixLength);
  return {
    family: address.family,
    address: address.value,
    network: (address.value >> hostBits) << hostBits,
    prefixLength,
  };
}

/** Dotted decimal, or the shortest IPv6 text of RFC 5952. */
export function formatIp(address: IpAddress): string {
  if (address.family === 4) return formatIpv4(Number(address.value));
  if (address.value >> 32n === 0xffffn) {
    return `::ffff:${formatIpv4(Number(address.value & 0xffffffffn))}`;
  }
  const words = Array.from({ length: 8 }, (_, index) =>
    Number((address.value >> BigInt(112 - 16 * index)) & 0xffffn),
  );
  const run = longestZeroRun(words);
  const join = (part: number[]): string => part.map((word) => word.toString(16)).join(':');
  if (run.length < 2) return join(words);
  return `${join(words.slice(0, run.start))}::${join(words.slice(run.start + run.length))}`;
}

function formatIpv4(value: number): string {
  return `${value >>> 24}.${(value >>> 16) & 255}.${(value >>> 8) & 255}.${value & 255}`;
}

function longestZeroRun(words: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let start = 0;
  for (const [index, word] of words.entries()) {
    if (word !== 0) start = index + 1;
    else if (index + 1 - start > best.length) best = { start, length: index + 1 - start };
  }
  return best;
}

/** The network in canonical text, host bits cleared. */
export function formatCidr(cidr: Cidr): string {
  return `${formatIp({ family: cidr.family, value: cidr.network })}/${cidr.prefixLength}`;
}

export function cidrContains(cidr: Cidr, address: IpAddress): boolean {
  if (cidr.family !== address.family) return false;
  const hostBits = BigInt(widthBits(cidr.family) - cidr.prefixLength);
  return address.value >> hostBits === cidr.network >> hostBits;
}

/** Whether every address of `inner` is in `outer`. */
export function cidrContainsCidr(outer: Cidr, inner: Cidr): boolean {
  return inner.prefixLength >= outer.prefixLength && cidrContains(outer, networkAddress(inner));
}

export function cidrsOverlap(a: Cidr, b: Cidr): boolean {
  return cidrContainsCidr(a, b) || cidrContainsCidr(b, a);
}

/** How many addresses there are, network and broadcast included. */
export function cidrSize(cidr: Cidr): bigint {
  return 1n << BigInt(widthBits(cidr.family) - cidr.prefixLength);
}

export function networkAddress(cidr: Cidr): IpAddress {
  return { family: cidr.family, value: cidr.network };
}

/** The address at this offset, negative ones counted from the end; throws K3tsError OutOfRange. */
export function nthAddress(cidr: Cidr, index: number | bigint): IpAddress {
  const size = cidrSize(cidr);
  const offset = BigInt(index) < 0n ? size + BigInt(index) : BigInt(index);
  if (offset < 0n || offset >= size) {
    throw new K3tsError('OutOfRange', `no address ${index} in ${formatCidr(cidr)}`);
  }
  return { family: cidr.family, value: cidr.network + offset };
}

/** The n-th network of this prefix length inside the range; throws K3tsError OutOfRange. */
export function nthSubnet(cidr: Cidr, prefixLength: number, index: number): Cidr {
  const width = widthBits(cidr.family);
  const isInside = prefixLength >= cidr.prefixLength && prefixLength <= width;
  const count = isInside ? 1n << BigInt(prefixLength - cidr.prefixLength) : 0n;
  if (index < 0 || BigInt(index) >= count) {
    throw new K3tsError(
      'OutOfRange',
      `no network ${index} of /${prefixLength} in ${formatCidr(cidr)}`,
    );
  }
  const value = cidr.network + (BigInt(index) << BigInt(width - prefixLength));
  return createCidr({ family: cidr.family, value }, prefixLength);
}

/** The text in canonical form, so that equal addresses compare equal; undefined when it is none. */
export function canonicalIp(text: string): string | undefined {
  const address = tryParseIp(text);
  return address === undefined ? undefined : formatIp(address);
}
