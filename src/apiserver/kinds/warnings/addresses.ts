import { formatIp, tryParseCidr, tryParseIp } from '#base/cidr.ts';
import type { IpAddress } from '#base/cidr.ts';

const leadingZeros = /(^|\.|:)0+(?=[0-9])/g;
const hasZeros = /(^|[.:])0+[0-9]+(\.|$)/;

/** Reads an address with leading zeros in IPv4 parts, as old fields take it. */
function parseSloppy(text: string): IpAddress | undefined {
  return tryParseIp(text.includes('.') ? text.replace(leadingZeros, '$1') : text);
}

function isMapped({ family, value }: IpAddress): boolean {
  return family === 6 && value >> 32n === 0xffffn;
}

function unmapped(address: IpAddress): IpAddress {
  return isMapped(address) ? { family: 4, value: address.value & 0xffffffffn } : address;
}

/** What is said of an address that is valid, but that not everybody reads alike. */
export function ipWarnings(text: string | undefined, path: string): string[] {
  const address = text === undefined ? undefined : parseSloppy(text);
  if (text === undefined || address === undefined) return [];
  const canonical = formatIp(unmapped(address));
  if ((text.includes('.') && hasZeros.test(text)) || isMapped(address)) {
    return [`${path}: non-standard IP address "${text}" is invalid: use "${canonical}"`];
  }
  if (address.family === 4 || canonical === text) return [];
  return [
    `${path}: IPv6 address "${text}" should be in RFC 5952 canonical format ("${canonical}")`,
  ];
}

/** The same for a range of addresses. */
export function cidrWarnings(text: string | undefined, path: string): string[] {
  const slash = text?.lastIndexOf('/') ?? -1;
  if (text === undefined || slash < 0) return [];
  const ipText = text.slice(0, slash);
  const lengthText = text.slice(slash + 1);
  const ip = parseSloppy(ipText);
  const length = Number(lengthText);
  const cidr = ip && tryParseCidr(`${formatIp(ip)}/${length}`);
  if (ip === undefined || cidr === undefined) return [];
  const plain = unmapped(ip);
  const isShifted = isMapped(ip);
  const size = isShifted ? length - 96 : length;
  const network = `${formatIp({ family: cidr.family, value: cidr.network })}/${cidr.prefixLength}`;
  const lines: string[] = [];
  if (cidr.address !== cidr.network) {
    const whole = plain.family === 4 ? 32 : 128;
    lines.push(
      `${path}: CIDR value "${text}" is ambiguous in this context (should be "${network}" or "${formatIp(plain)}/${whole}"?)`,
    );
  }
  const isOdd =
    isShifted || (ipText.includes('.') && hasZeros.test(ipText)) || /^0[0-9]/.test(lengthText);
  if (isOdd) {
    const canonical = `${formatIp(plain)}/${size}`;
    lines.push(`${path}: non-standard CIDR value "${text}" is invalid: use "${canonical}"`);
  }
  const canonical = `${formatIp(plain)}/${size}`;
  if (lines.length > 0 || ip.family === 4 || canonical === text) return lines;
  return [
    `${path}: IPv6 CIDR value "${text}" should be in RFC 5952 canonical format ("${canonical}")`,
  ];
}

export function eachIpWarnings(list: readonly string[] | undefined, path: string): string[] {
  return (list ?? []).flatMap((text, index) => ipWarnings(text, `${path}[${index}]`));
}

export function eachCidrWarnings(list: readonly string[] | undefined, path: string): string[] {
  return (list ?? []).flatMap((text, index) => cidrWarnings(text.trim(), `${path}[${index}]`));
}
