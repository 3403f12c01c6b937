import type { PodDNSConfig, PodSpec } from '../../generated/types.ts';
import { checkFormat } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { checkLegacyIp } from '../formats/addresses.ts';
import { searchPathErrors } from '../formats/names.ts';
import type { Unchecked } from '../unchecked.ts';

const maxNameservers = 3;
const maxSearchPaths = 32;
const maxSearchCharacters = 2048;

export function checkDnsConfig(
  errors: ErrorList,
  specPath: FieldPath,
  { dnsConfig, dnsPolicy }: Unchecked<PodSpec>,
  old: Unchecked<PodSpec> | undefined,
): void {
  if (dnsPolicy === 'None') {
    const detail = 'when `dnsPolicy` is None';
    if (dnsConfig === undefined) {
      errors.required(specPath, 'dnsConfig', `must provide \`dnsConfig\` ${detail}`);
      return;
    }
    if ((dnsConfig.nameservers?.length ?? 0) === 0) {
      const text = `must provide at least one DNS nameserver ${detail}`;
      errors.required(specPath, 'dnsConfig.nameservers', text);
      return;
    }
  }
  if (dnsConfig === undefined) return;
  const path = specPath.child('dnsConfig');
  checkNameservers(errors, path, dnsConfig, old?.dnsConfig?.nameservers);
  checkSearches(errors, path, dnsConfig.searches ?? []);
  (dnsConfig.options ?? []).forEach(({ name = '' }, index) => {
    if (name === '') errors.required(path.child('options'), index, 'must not be empty');
  });
}

function checkNameservers(
  errors: ErrorList,
  path: FieldPath,
  { nameservers = [] }: Unchecked<PodDNSConfig>,
  old: readonly string[] | undefined,
): void {
  if (nameservers.length > maxNameservers) {
    const detail = `must not have more than ${maxNameservers} nameservers`;
    errors.invalid(path, 'nameservers', nameservers, detail);
  }
  nameservers.forEach((address, index) => {
    checkLegacyIp(errors, path.child('nameservers'), index, address, old);
  });
}

function checkSearches(errors: ErrorList, path: FieldPath, searches: readonly string[]): void {
  if (searches.length > maxSearchPaths) {
    const detail = `must not have more than ${maxSearchPaths} search paths`;
    errors.invalid(path, 'searches', searches, detail);
  }
  if (searches.join(' ').length > maxSearchCharacters) {
    const detail = `must not have more than ${maxSearchCharacters} characters (including spaces) in the search list`;
    errors.invalid(path, 'searches', searches, detail);
  }
  searches.forEach((search, index) => {
    if (search === '.') return;
    const name = search.endsWith('.') ? search.slice(0, -1) : search;
    checkFormat(errors, path.child('searches'), index, name, searchPathErrors);
  });
}
