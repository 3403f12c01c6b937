/** Kubernetes' ranges of IP addresses. */
import {
  type Cidr,
  cidrContains,
  cidrContainsCidr,
  createCidr,
  formatIp,
  tryParseCidr,
  tryParseIp,
} from '#base/cidr.ts';
import { globalOverload, type Library, memberOverload } from '../check/declaration.ts';
import { boolType, intType, opaqueType, stringType } from '../check/type.ts';
import { CelRuntimeError } from '../errors.ts';
import { quoteGo } from '../values/go-text.ts';
import { CelAbstract } from '../values/value.ts';
import { ipType, IpValue, isMapped, parseIpValue } from './ip.ts';
import { prefixProblem } from './ip-text.ts';

const cidrType = opaqueType('net.CIDR');

export class CidrValue extends CelAbstract {
  readonly typeName = 'net.CIDR';
  readonly cidr: Cidr;

  constructor(cidr: Cidr) {
    super();
    this.cidr = cidr;
  }

  get ip(): IpValue {
    return new IpValue({ family: this.cidr.family, value: this.cidr.address });
  }

  equals(other: CelAbstract): boolean {
    const { cidr } = other as CidrValue;
    const { family, address, prefixLength } = this.cidr;
    return cidr.family === family && cidr.address === address && cidr.prefixLength === prefixLength;
  }

  toJson(): string {
    const { family, address, prefixLength } = this.cidr;
    return `${formatIp({ family, value: address })}/${prefixLength}`;
  }

  /** Bytes of the prefix. */
  override costSize(): number {
    return Math.ceil(this.cidr.prefixLength / 8);
  }
}

function problem(text: string): string | undefined {
  const cidr = tryParseCidr(text);
  if (cidr === undefined) {
    const reason = prefixProblem(text, (part) => tryParseIp(part) !== undefined);
    return `network address parse error during conversion from string: ${reason}`;
  }
  const isIpv4InIpv6 = isMapped({ family: cidr.family, value: cidr.address });
  return isIpv4InIpv6 ? `IPv4-mapped IPv6 address ${quoteGo(text)} is not allowed` : undefined;
}

function parse(text: string): CidrValue {
  const reason = problem(text);
  if (reason !== undefined) {
    throw new CelRuntimeError(
      `network address parse error during conversion from string: ${reason}`,
    );
  }
  return new CidrValue(tryParseCidr(text) as Cidr);
}

function containsIp({ cidr }: CidrValue, { address }: IpValue): boolean {
  return cidrContains(cidr, address);
}

function containsCidr(outer: CidrValue, inner: CidrValue): boolean {
  return outer.cidr.family === inner.cidr.family && cidrContainsCidr(outer.cidr, inner.cidr);
}

function masked({ cidr }: CidrValue): CidrValue {
  const { family, network, prefixLength } = cidr;
  return new CidrValue(createCidr({ family, value: network }, prefixLength));
}

export const cidrLibrary: Library = {
  cidr: [globalOverload('string_to_cidr', [stringType], cidrType, parse)],
  isCIDR: [
    globalOverload(
      'is_cidr',
      [stringType],
      boolType,
      (text: string) => problem(text) === undefined,
    ),
  ],
  containsIP: [
    memberOverload(
      'cidr_contains_ip_string',
      [cidrType, stringType],
      boolType,
      (cidr: CidrValue, text: string) => containsIp(cidr, parseIpValue(text)),
    ),
    memberOverload('cidr_contains_ip_ip', [cidrType, ipType], boolType, containsIp),
  ],
  containsCIDR: [
    memberOverload(
      'cidr_contains_cidr_string',
      [cidrType, stringType],
      boolType,
      (cidr: CidrValue, text: string) => containsCidr(cidr, parse(text)),
    ),
    memberOverload('cidr_contains_cidr', [cidrType, cidrType], boolType, containsCidr),
  ],
  ip: [memberOverload('cidr_ip', [cidrType], ipType, ({ ip }: CidrValue) => ip)],
  prefixLength: [
    memberOverload(
      'cidr_prefix_length',
      [cidrType],
      intType,
      ({ cidr }: CidrValue) => cidr.prefixLength,
    ),
  ],
  masked: [memberOverload('cidr_masked', [cidrType], cidrType, masked)],
  string: [
    globalOverload('cidr_to_string', [cidrType], stringType, (cidr: CidrValue) => cidr.toJson()),
  ],
};
