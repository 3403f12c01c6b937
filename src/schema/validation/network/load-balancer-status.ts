import type { LoadBalancerStatus, ServiceSpec } from '../../generated/types.ts';
import { checkFormat, checkOneOf } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { checkLegacyIp, ipFamily } from '../formats/addresses.ts';
import { dns1123SubdomainErrors } from '../formats/names.ts';
import type { Unchecked } from '../unchecked.ts';

type Status = Unchecked<LoadBalancerStatus>;

const modes = ['Proxy', 'VIP'];

export function checkLoadBalancerStatus(
  errors: ErrorList,
  path: FieldPath,
  { ingress = [] }: Status,
  spec: Unchecked<ServiceSpec>,
  old: Status | undefined,
): void {
  if (ingress.length > 0 && spec.type !== 'LoadBalancer') {
    const detail = "may only be used when `spec.type` is 'LoadBalancer'";
    errors.forbidden(path, 'ingress', detail);
    return;
  }
  const stored = old?.ingress?.map((point) => point.ip);
  ingress.forEach(({ ip = '', ipMode, hostname = '' }, index) => {
    const at = path.child('ingress').at(index);
    checkIngressPoint(errors, at, ip, hostname, stored, () => {
      if (ip !== '' && ipMode === undefined) {
        errors.required(at, 'ipMode', 'must be specified when `ip` is set');
      } else if (ip === '' && ipMode !== undefined) {
        errors.forbidden(at, 'ipMode', 'may not be specified when `ip` is not set');
      } else checkOneOf(errors, at, 'ipMode', ipMode, modes);
    });
  });
}

/** Address and host name of a load balancer; `between` runs where upstream checks the mode. */
export function checkIngressPoint(
  errors: ErrorList,
  path: FieldPath,
  ip: string,
  hostname: string,
  stored: ReadonlyArray<string | undefined> | undefined,
  between: () => void,
): void {
  if (ip !== '') {
    checkLegacyIp(errors, path, 'ip', ip, stored);
  }
  between();
  if (hostname === '') return;
  checkFormat(errors, path, 'hostname', hostname, dns1123SubdomainErrors);
  if (ipFamily(hostname) === undefined) return;
  errors.invalid(path, 'hostname', hostname, 'must be a DNS name, not an IP address');
}
