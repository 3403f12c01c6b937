import type { ServiceSpec } from '../../generated/types.ts';
import { checkOneOf } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import { specPath } from '../field-path.ts';
import { checkLegacyIp, hasOneOfEachFamily, ipFamily } from '../formats/addresses.ts';
import type { Unchecked } from '../unchecked.ts';

type Spec = Unchecked<ServiceSpec>;

const families = ['IPv4', 'IPv6'];
const policies = ['PreferDualStack', 'RequireDualStack', 'SingleStack'];

/** Cluster addresses and the families that go with them, place by place. */
export function checkClusterIps(errors: ErrorList, spec: Spec, old: Spec | undefined): void {
  const { clusterIP = '', clusterIPs = [], ipFamilies = [] } = spec;
  if (clusterIP !== '') {
    if (clusterIPs.length === 0) errors.required(specPath, 'clusterIPs');
    else if (clusterIPs[0] !== clusterIP) {
      errors.invalid(specPath, 'clusterIPs', clusterIPs, 'first value must match `clusterIP`');
    }
  } else if (clusterIPs.length > 0) {
    const detail = 'must be empty when `clusterIP` is not specified';
    errors.invalid(specPath, 'clusterIPs', clusterIPs, detail);
  }
  const seen = new Set<string>();
  ipFamilies.forEach((family, index) => {
    const path = specPath.child('ipFamilies');
    checkOneOf(errors, path, index, family, families);
    if (seen.has(family)) errors.duplicate(path, index, family);
    seen.add(family);
  });
  checkOneOf(errors, specPath, 'ipFamilyPolicy', spec.ipFamilyPolicy, policies);
  if (checkAddresses(errors, clusterIPs, old)) checkFamilies(errors, clusterIPs, ipFamilies);
}

/** Returns whether the addresses are good enough to look at their families. */
function checkAddresses(
  errors: ErrorList,
  addresses: readonly string[],
  old: Spec | undefined,
): boolean {
  if (addresses.length === 0) return false;
  const path = specPath.child('clusterIPs');
  let isGood = true;
  addresses.forEach((address, index) => {
    if (address === 'None' && index === 0) {
      if (addresses.length === 1) return;
      const detail = "'None' must be the first and only value";
      errors.invalid(path, '', addresses, detail);
      isGood = false;
    } else if (!checkLegacyIp(errors, path, index, address, old?.clusterIPs)) isGood = false;
  });
  if (addresses.length > 2) {
    errors.invalid(path, '', addresses, 'may only hold up to 2 values');
    isGood = false;
  }
  if (!isGood) return false;
  if (addresses.length > 1 && !hasOneOfEachFamily(addresses.map(ipFamily))) {
    const detail = 'may specify no more than one IP for each IP family';
    errors.invalid(path, '', addresses, detail);
    return false;
  }
  return addresses[0] !== 'None';
}

function checkFamilies(
  errors: ErrorList,
  addresses: readonly string[],
  ipFamilies: readonly string[],
): void {
  addresses.forEach((address, index) => {
    const wanted = ipFamilies[index];
    if (wanted === undefined || wanted === `IPv${ipFamily(address)}`) return;
    if (!families.includes(wanted)) return;
    const detail = `expected an ${wanted} value as indicated by \`ipFamilies[${index}]\``;
    errors.invalid(specPath.child('clusterIPs'), index, address, detail);
  });
}
