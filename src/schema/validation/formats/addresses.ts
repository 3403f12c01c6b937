import type { IpAddress } from '#base/cidr.ts';
import { formatIp, tryParseCidr, tryParseIp } from '#base/cidr.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';

const none: readonly string[] = [];
const ipText = 'must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)';
const cidrText = 'must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)';
const leadingZeros = /(^|\.|:)0+(?=[0-9])/g;
const hasLeadingZeros = /(^|[.:])0+[0-9]+(\.|$)/;

/** Reads an address as upstream's sloppy parser does, which takes leading zeros in IPv4 parts. */
function parseSloppy(text: string): IpAddress | undefined {
  if (!text.includes('.')) return tryParseIp(text);
  return tryParseIp(text.replace(leadingZeros, '$1'));
}

function isMappedIpv4(address: IpAddress): boolean {
  return address.family === 6 && address.value >> 32n === 0xffffn;
}

function hasZeros(text: string): boolean {
  return text.includes('.') && hasLeadingZeros.test(text);
}

/** Addresses in fields that are older than the strict rules. */
export function sloppyIpErrors(text: string): readonly string[] {
  const address = parseSloppy(text);
  if (address === undefined) return [ipText];
  const errors: string[] = [];
  if (hasZeros(text)) errors.push('must not have leading 0s');
  if (isMappedIpv4(address)) errors.push('must not be an IPv4-mapped IPv6 address');
  return errors.length === 0 ? none : errors;
}

/** Addresses in new fields; returns one message at most. */
export function strictIpErrors(text: string): readonly string[] {
  const address = parseSloppy(text);
  if (address === undefined) return [ipText];
  if (hasZeros(text)) return ['must not have leading 0s'];
  if (isMappedIpv4(address)) return ['must not be an IPv4-mapped IPv6 address'];
  const canonical = formatIp(address);
  return canonical === text ? none : [`must be in canonical form ("${canonical}")`];
}

function cidrErrors(text: string, isStrict: boolean): readonly string[] {
  const slash = text.lastIndexOf('/');
  const ip = parseSloppy(text.slice(0, Math.max(slash, 0)));
  const lengthText = text.slice(slash + 1);
  const plainLength = lengthText.replace(/^0+(?=[0-9])/, '');
  const cidr = ip && tryParseCidr(`${formatIp(ip)}/${plainLength}`);
  if (slash < 0 || ip === undefined || cidr === undefined) return [cidrText];
  if (hasZeros(text.slice(0, slash)) || plainLength !== lengthText) {
    return ['must not have leading 0s in IP or prefix length'];
  }
  if (isMappedIpv4(ip)) return ['must not have an IPv4-mapped IPv6 address'];
  if (cidr.address !== cidr.network) return ['must not have bits set beyond the prefix length'];
  const canonical = `${formatIp(ip)}/${cidr.prefixLength}`;
  if (isStrict && canonical !== text) return [`must be in canonical form ("${canonical}")`];
  return none;
}

/** An address of an interface with the length of its network's prefix. */
export function interfaceAddressErrors(text: string): readonly string[] {
  const slash = text.lastIndexOf('/');
  const length = text.slice(slash + 1);
  const ip = slash < 0 ? undefined : tryParseIp(text.slice(0, slash));
  const cidr = ip && tryParseCidr(`${formatIp(ip)}/${length}`);
  if (ip === undefined || cidr === undefined) {
    return ['must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)'];
  }
  const canonical = `${formatIp(ip)}/${cidr.prefixLength}`;
  return canonical === text ? none : [`must be in canonical form ("${canonical}")`];
}

/** Ranges in older fields; the canonical form is not asked for. */
export function sloppyCidrErrors(text: string): readonly string[] {
  return cidrErrors(text, false);
}

export function strictCidrErrors(text: string): readonly string[] {
  return cidrErrors(text, true);
}

/** 4 or 6, or undefined for a text that is no address. */
export function ipFamily(text: string): 4 | 6 | undefined {
  const address = parseSloppy(text);
  if (address === undefined) return undefined;
  return isMappedIpv4(address) ? 4 : address.family;
}

export function cidrFamily(text: string): 4 | 6 | undefined {
  const slash = text.indexOf('/');
  return slash < 0 ? undefined : ipFamily(text.slice(0, slash));
}

/** Whether a list has at most one of each family. */
export function hasOneOfEachFamily(families: ReadonlyArray<4 | 6 | undefined>): boolean {
  return families.length <= 2 && new Set(families).size === families.length;
}

/** An address that traffic of a service may go to. */
export function checkEndpointIp(
  errors: ErrorList,
  path: FieldPath,
  field: string | number,
  text: string,
): void {
  const address = parseSloppy(text);
  if (address === undefined) {
    errors.invalid(path, field, text, 'must be a valid IP address');
    return;
  }
  for (const detail of endpointIpErrors(address, text)) errors.invalid(path, field, text, detail);
}

function endpointIpErrors({ family, value }: IpAddress, text: string): string[] {
  const errors: string[] = [];
  const is4 = family === 4;
  if (value === 0n) errors.push(`may not be unspecified (${text})`);
  if (is4 ? value >> 24n === 127n : value === 1n) {
    errors.push('may not be in the loopback range (127.0.0.0/8, ::1/128)');
  }
  if (is4 ? value >> 16n === 0xa9fen : value >> 118n === 0x3fan) {
    errors.push('may not be in the link-local range (169.254.0.0/16, fe80::/10)');
  }
  if (is4 ? value >> 8n === 0xe00000n : ((value >> 112n) & 0xff0fn) === 0xff02n) {
    errors.push('may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)');
  }
  return errors;
}

/** Reports a bad address unless the stored object already had it. */
export function checkLegacyIp(
  errors: ErrorList,
  path: FieldPath,
  field: string | number,
  text: string | undefined,
  stored: ReadonlyArray<string | undefined> | undefined,
): boolean {
  const messages = sloppyIpErrors(text ?? '');
  if (messages.length === 0 || stored?.includes(text) === true) return true;
  for (const detail of messages) errors.invalid(path, field, text ?? '', detail);
  return false;
}

/** As checkLegacyIp, for a range. */
export function checkLegacyCidr(
  errors: ErrorList,
  path: FieldPath,
  field: string | number,
  text: string | undefined,
  stored: ReadonlyArray<string | undefined> | undefined,
): boolean {
  const messages = sloppyCidrErrors(text ?? '');
  if (messages.length === 0 || stored?.includes(text) === true) return true;
  for (const detail of messages) errors.invalid(path, field, text ?? '', detail);
  return false;
}
