import { formatIp } from '#base/cidr.ts';

const v4Suffix = '.in-addr.arpa';
const v6Suffix = '.ip6.arpa';

/** The address that a reverse name asks for: 10.0.43.10.in-addr.arpa is 10.43.0.10. */
export function addressOfReverseName(name: string): string | undefined {
  if (name.endsWith(v4Suffix)) {
    const parts = name.slice(0, -v4Suffix.length).split('.');
    const isComplete = parts.length === 4 && parts.every((part) => /^\d{1,3}$/.test(part));
    return isComplete ? parts.reverse().join('.') : undefined;
  }
  if (name.endsWith(v6Suffix)) {
    const digits = name.slice(0, -v6Suffix.length).split('.');
    const isComplete = digits.length === 32 && digits.every((digit) => /^[0-9a-f]$/.test(digit));
    if (!isComplete) return undefined;
    return formatIp({ family: 6, value: BigInt(`0x${digits.reverse().join('')}`) });
  }
  return undefined;
}
