import type { Service, ServiceSpec } from '../../generated/types.ts';
import { checkOneOf, requireOneOf } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import { annotationsPath, specPath } from '../field-path.ts';
import { checkLegacyCidr, sloppyCidrErrors } from '../formats/addresses.ts';
import { checkPort } from '../formats/ports.ts';
import { isEmpty } from '../unchecked.ts';
import type { Unchecked } from '../unchecked.ts';

const trafficPolicies = ['Cluster', 'Local'];
const addressedTypes = ['ClusterIP', 'NodePort', 'LoadBalancer'];
const rangesAnnotation = 'service.beta.kubernetes.io/load-balancer-source-ranges';
const onlyText = "may only be used when `type` is 'LoadBalancer'";

/** Who may reach a load balancer; the field is reported with the name that Go gives it. */
export function checkSourceRanges(
  errors: ErrorList,
  { metadata, spec = {} }: Unchecked<Service>,
  old: Unchecked<Service> | undefined,
): void {
  const { loadBalancerSourceRanges: ranges, type } = spec;
  if (ranges !== undefined && ranges.length > 0) {
    const path = specPath.child('LoadBalancerSourceRanges');
    if (type !== 'LoadBalancer') errors.forbidden(path, '', onlyText);
    const stored = old?.spec?.loadBalancerSourceRanges?.map((range) => range.trim());
    ranges.forEach((range, index) => {
      checkLegacyCidr(errors, path, index, range.trim(), stored);
    });
    return;
  }
  const text = metadata?.annotations?.[rangesAnnotation];
  if (text === undefined) return;
  const path = annotationsPath.key(rangesAnnotation);
  if (type !== 'LoadBalancer') errors.forbidden(path, '', onlyText);
  const trimmed = text.trim();
  if (trimmed === '' || text === old?.metadata?.annotations?.[rangesAnnotation]) return;
  for (const range of trimmed.split(',')) {
    for (const detail of sloppyCidrErrors(range.trim())) errors.invalid(path, '', text, detail);
  }
}

/** Whether clients from outside of the cluster can come in. */
function isExternal({ type, externalIPs }: Unchecked<ServiceSpec>): boolean {
  if (type === 'LoadBalancer' || type === 'NodePort') return true;
  return type === 'ClusterIP' && !isEmpty(externalIPs);
}

export function needsHealthCheck({ type, externalTrafficPolicy }: Unchecked<ServiceSpec>): boolean {
  return type === 'LoadBalancer' && externalTrafficPolicy === 'Local';
}

export function checkTrafficPolicies(errors: ErrorList, spec: Unchecked<ServiceSpec>): void {
  const { externalTrafficPolicy: external = '', internalTrafficPolicy, healthCheckNodePort } = spec;
  if (!isExternal(spec)) {
    if (external !== '') {
      const detail = 'may only be set for externally-accessible services';
      errors.invalid(specPath, 'externalTrafficPolicy', external, detail);
    }
  } else requireOneOf(errors, specPath, 'externalTrafficPolicy', external, trafficPolicies);
  const port = healthCheckNodePort ?? 0;
  if (!needsHealthCheck(spec)) {
    if (port !== 0) {
      const detail =
        "may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'";
      errors.invalid(specPath, 'healthCheckNodePort', port, detail);
    }
  } else if (port === 0) errors.required(specPath, 'healthCheckNodePort');
  else checkPort(errors, specPath, 'healthCheckNodePort', port);
  if (internalTrafficPolicy !== undefined) {
    checkOneOf(errors, specPath, 'internalTrafficPolicy', internalTrafficPolicy, trafficPolicies);
  } else if (addressedTypes.includes(spec.type ?? '')) {
    errors.required(specPath, 'internalTrafficPolicy');
  }
}
