import type { Service, ServiceSpec } from '../../generated/types.ts';
import type { ErrorList } from '../error-list.ts';
import { specPath } from '../field-path.ts';
import { immutableText } from '../checks.ts';
import type { Unchecked } from '../unchecked.ts';
import { needsHealthCheck } from './service-traffic.ts';

type Spec = Unchecked<ServiceSpec>;

const changedText = 'may not change once set';

/** What a service keeps for as long as it is of the same sort. */
export function checkServiceUpdate(
  errors: ErrorList,
  { spec = {} }: Unchecked<Service>,
  { spec: old = {} }: Unchecked<Service>,
): void {
  const isExternalName = spec.type === 'ExternalName' || old.type === 'ExternalName';
  const isHeadless = spec.clusterIP === 'None' && old.clusterIP === 'None';
  if (!isExternalName && !isHeadless) {
    checkAddressChange(errors, spec, old);
    checkFamilyChange(errors, spec, old);
  }
  const staysBalanced = spec.type === 'LoadBalancer' && old.type === 'LoadBalancer';
  if (staysBalanced && spec.loadBalancerClass !== old.loadBalancerClass) {
    const value = spec.loadBalancerClass ?? null;
    errors.invalid(specPath, 'loadBalancerClass', value, changedText);
  }
  if (!needsHealthCheck(spec) || !needsHealthCheck(old)) return;
  if ((spec.healthCheckNodePort ?? 0) === (old.healthCheckNodePort ?? 0)) return;
  errors.forbidden(specPath, 'healthCheckNodePort', immutableText);
}

function checkAddressChange(errors: ErrorList, spec: Spec, old: Spec): void {
  const now = spec.clusterIPs ?? [];
  const before = old.clusterIPs ?? [];
  const path = specPath.child('clusterIPs');
  if (before.length === 0) return;
  if (now.length === 0) {
    errors.invalid(path, 0, now, 'primary clusterIP can not be unset');
    return;
  }
  if (now[0] !== before[0]) errors.invalid(path, 0, now, changedText);
  if (before.length < 2) return;
  if (now.length < before.length) {
    if (spec.ipFamilyPolicy === 'SingleStack') return;
    const detail = "must be set to 'SingleStack' when releasing the secondary clusterIP";
    errors.invalid(specPath, 'ipFamilyPolicy', spec.ipFamilyPolicy ?? null, detail);
  } else if (now[1] !== before[1]) errors.invalid(path, 1, now, changedText);
}

function checkFamilyChange(errors: ErrorList, spec: Spec, old: Spec): void {
  const now = spec.ipFamilies ?? [];
  const before = old.ipFamilies ?? [];
  const path = specPath.child('ipFamilies');
  if (before.length === 0) return;
  if (now.length === 0) {
    errors.invalid(path, 0, now, 'primary ipFamily can not be unset');
    return;
  }
  if (now[0] !== before[0]) errors.invalid(path, 0, now, changedText);
  if (before.length < 2) return;
  if (now.length < before.length) {
    if (spec.ipFamilyPolicy === 'SingleStack') return;
    const detail = "must be set to 'SingleStack' when releasing the secondary ipFamily";
    errors.invalid(specPath, 'ipFamilyPolicy', spec.ipFamilyPolicy ?? null, detail);
  } else if (now[1] !== before[1]) errors.invalid(path, 0, now, changedText);
}
