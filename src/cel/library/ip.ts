/** Kubernetes' IP addresses. */
import { formatIp, type IpAddress, tryParseIp } from '#base/cidr.ts';
import {
  globalOverload,
  type Library,
  memberOverload,
  type Overload,
} from '../check/declaration.ts';
import { boolType, intType, opaqueType, stringType } from '../check/type.ts';
import { CelRuntimeError } from '../errors.ts';
import { quoteGo } from '../values/go-text.ts';
import { CelAbstract } from '../values/value.ts';
import { ipProblem } from './ip-text.ts';

export const ipType = opaqueType('net.IP');

export class IpValue extends CelAbstract {
  readonly typeName = 'net.IP';
  readonly address: IpAddress;

  constructor(address: IpAddress) {
    super();
    this.address = address;
  }

  equals(other: CelAbstract): boolean {
    const { address } = other as IpValue;
    return address.family === this.address.family && address.value === this.address.value;
  }

  toJson(): string {
    return formatIp(this.address);
  }

  override costSize(): number {
    return this.address.family === 4 ? 4 : 16;
  }
}

export function isMapped({ family, value }: IpAddress): boolean {
  return family === 6 && value >> 32n === 0xffffn;
}

/** Throws CelRuntimeError; IPv4 in IPv6 and zones are refused. */
export function parseIpValue(text: string): IpValue {
  const zone = text.indexOf('%');
  if (zone > 0 && text.includes(':') && tryParseIp(text.slice(0, zone)) !== undefined) {
    throw new CelRuntimeError(`IP address ${quoteGo(text)} with zone value is not allowed`);
  }
  const address = tryParseIp(text);
  if (address === undefined) {
    throw new CelRuntimeError(
      `IP Address ${quoteGo(text)} parse error during conversion from string: ${ipProblem(text)}`,
    );
  }
  if (isMapped(address)) {
    throw new CelRuntimeError(`IPv4-mapped IPv6 address ${quoteGo(text)} is not allowed`);
  }
  return new IpValue(address);
}

function isIp(text: string): boolean {
  const address = tryParseIp(text);
  return address !== undefined && !isMapped(address);
}

function test(
  id: string,
  v4: (value: number) => boolean,
  v6: (value: bigint) => boolean,
): Overload {
  return memberOverload(id, [ipType], boolType, ({ address }: IpValue) =>
    address.family === 4 ? v4(Number(address.value)) : v6(address.value),
  );
}

const linkLocal6 = (value: bigint): boolean => value >> 118n === 0xfe80n >> 6n;

export const ipLibrary: Library = {
  ip: [globalOverload('string_to_ip', [stringType], ipType, parseIpValue)],
  isIP: [globalOverload('is_ip', [stringType], boolType, isIp)],
  'ip.isCanonical': [
    globalOverload(
      'ip_is_canonical',
      [stringType],
      boolType,
      (text: string) => parseIpValue(text).toJson() === text,
    ),
  ],
  string: [globalOverload('ip_to_string', [ipType], stringType, (ip: IpValue) => ip.toJson())],
  family: [
    memberOverload('ip_family', [ipType], intType, ({ address }: IpValue) => address.family),
  ],
  isUnspecified: [
    test(
      'ip_is_unspecified',
      (value) => value === 0,
      (value) => value === 0n,
    ),
  ],
  isLoopback: [
    test(
      'ip_is_loopback',
      (value) => value >>> 24 === 127,
      (value) => value === 1n,
    ),
  ],
  isLinkLocalMulticast: [
    test(
      'ip_is_link_local_multicast',
      (value) => value >>> 8 === 0xe00000,
      (value) => ((value >> 112n) & 0xff0fn) === 0xff02n,
    ),
  ],
  isLinkLocalUnicast: [
    test('ip_is_link_local_unicast', (value) => value >>> 16 === 0xa9fe, linkLocal6),
  ],
  isGlobalUnicast: [
    test(
      'ip_is_global_unicast',
      (value) =>
        value !== 0 &&
        value !== 0xffffffff &&
        value >>> 24 !== 127 &&
        value >>> 28 !== 0xe &&
        value >>> 16 !== 0xa9fe,
      (value) => value > 1n && value >> 120n !== 0xffn && !linkLocal6(value),
    ),
  ],
};
