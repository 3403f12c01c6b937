import type { IPAddress, ServiceCIDR } from '../../generated/types.ts';
import { checkEachFormat, checkFormat, checkImmutable, requireFormat } from '../checks.ts';
import { specPath } from '../field-path.ts';
import {
  cidrFamily,
  hasOneOfEachFamily,
  strictCidrErrors,
  strictIpErrors,
} from '../formats/addresses.ts';
import { dns1123SubdomainErrors, pathSegmentErrors } from '../formats/names.ts';
import { immutableText } from '../checks.ts';
import type { KindRules } from '../kind-rules.ts';

export const ipAddressRules: KindRules<IPAddress> = {
  name: strictIpErrors,
  check(errors, { spec }) {
    const ref = spec?.parentRef;
    const path = specPath.child('parentRef');
    if (ref === undefined) {
      errors.required(path, '');
      return;
    }
    const { group = '', namespace = '' } = ref;
    if (group !== '') checkFormat(errors, path, 'group', group, dns1123SubdomainErrors);
    requireFormat(errors, path, 'resource', ref.resource, pathSegmentErrors);
    requireFormat(errors, path, 'name', ref.name, pathSegmentErrors);
    if (namespace !== '') checkFormat(errors, path, 'namespace', namespace, pathSegmentErrors);
  },
  update(errors, { spec }, old) {
    checkImmutable(errors, specPath, 'parentRef', spec?.parentRef, old.spec?.parentRef);
  },
};

export const serviceCidrRules: KindRules<ServiceCIDR> = {
  name: dns1123SubdomainErrors,
  create(errors, { spec = {} }) {
    const { cidrs = [] } = spec;
    if (cidrs.length === 0) {
      errors.required(specPath, 'cidrs', 'at least one CIDR required');
      return;
    }
    if (cidrs.length > 2) {
      errors.invalid(specPath, 'cidrs', spec, 'may only hold up to 2 values');
      return;
    }
    checkEachFormat(errors, specPath.child('cidrs'), cidrs, strictCidrErrors);
    if (cidrs.length > 1 && !hasOneOfEachFamily(cidrs.map(cidrFamily))) {
      const detail =
        'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64';
      errors.invalid(specPath, 'cidrs', cidrs, detail);
    }
  },
  update(errors, { spec = {} }, old) {
    const { cidrs = [] } = spec;
    const before = old.spec?.cidrs ?? [];
    const mayGrow = before.length === 1 && cidrs.length === 2;
    if (cidrs.length !== before.length && !mayGrow) {
      errors.invalid(specPath, 'cidrs', cidrs, immutableText);
      return;
    }
    const path = specPath.child('cidrs');
    before.forEach((cidr, index) => checkImmutable(errors, path, index, cidrs[index], cidr));
    if (mayGrow) checkFormat(errors, path, 1, cidrs[1], strictCidrErrors);
  },
};
