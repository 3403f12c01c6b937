/** What Go's net/netip says about texts that are no address or prefix. */
import { quoteGo } from '../values/go-text.ts';

function parseError(text: string, message: string, at?: string): string {
  const where = at === undefined ? '' : ` (at ${quoteGo(at)})`;
  return `ParseAddr(${quoteGo(text)}): ${message}${where}`;
}

function ipv4Problem(text: string, from = 0): string {
  const fields = text.slice(from).split('.');
  let offset = from;
  for (const [index, field] of fields.entries()) {
    if (index > 3) return parseError(text, 'IPv4 address too long');
    const odd = /[^0-9]/.exec(field);
    if (odd !== null)
      return parseError(text, 'unexpected character', text.slice(offset + odd.index));
    if (field === '') {
      const at = index === 0 || index === fields.length - 1 ? text.slice(from) : text.slice(offset);
      return parseError(text, 'IPv4 field must have at least one digit', at);
    }
    if (field.length > 1 && field.startsWith('0')) {
      return parseError(text, 'IPv4 field has octet with leading zero');
    }
    if (Number(field) > 255) return parseError(text, 'IPv4 field has value >255');
    offset += field.length + 1;
  }
  return parseError(text, 'IPv4 address too short');
}

function ipv6Problem(text: string): string {
  let rest = text;
  let words = 0;
  let hasGap = false;
  if (rest.startsWith('::')) {
    hasGap = true;
    rest = rest.slice(2);
    if (rest === '') return parseError(text, 'unable to parse IP');
  }
  while (words < 8) {
    const word = /^[0-9a-fA-F]*/.exec(rest)?.[0] ?? '';
    if (word === '') {
      return parseError(text, 'each colon-separated field must have at least one digit', rest);
    }
    if (word.length > 4) {
      return parseError(text, 'each group must have 4 or less digits', rest);
    }
    if (rest[word.length] === '.') {
      if (!hasGap && words !== 6) {
        return parseError(
          text,
          'embedded IPv4 address must replace the final 2 fields of the address',
          rest,
        );
      }
      return ipv4Problem(text, text.length - rest.length);
    }
    words += 1;
    rest = rest.slice(word.length);
    if (rest === '') break;
    if (!rest.startsWith(':')) {
      return parseError(text, 'unexpected character, want colon', rest);
    }
    if (rest.length === 1) {
      return parseError(text, 'colon must be followed by more characters', rest);
    }
    rest = rest.slice(1);
    if (rest.startsWith(':')) {
      if (hasGap) return parseError(text, 'multiple :: in address', rest);
      hasGap = true;
      rest = rest.slice(1);
      if (rest === '') break;
    }
  }
  if (rest !== '') return parseError(text, 'trailing garbage after address', rest);
  return parseError(text, 'address string too short');
}

/** For a text that is no IP address. */
export function ipProblem(text: string): string {
  for (const character of text) {
    if (character === '.') return ipv4Problem(text);
    if (character === ':') return ipv6Problem(text);
    if (character === '%') return parseError(text, 'missing IPv6 address');
  }
  return parseError(text, 'unable to parse IP');
}

/** For a text that is no prefix; `isAddress` tells about the part before the slash. */
export function prefixProblem(text: string, isAddress: (part: string) => boolean): string {
  const head = `netip.ParsePrefix(${quoteGo(text)}): `;
  const slash = text.lastIndexOf('/');
  if (slash < 0) return `${head}no '/'`;
  const address = text.slice(0, slash);
  if (!isAddress(address)) return `${head}${ipProblem(address)}`;
  const bits = text.slice(slash + 1);
  if (!/^(?:0|[1-9]\d*)$/.test(bits)) return `${head}bad bits after slash: ${quoteGo(bits)}`;
  return `${head}prefix length out of range`;
}
