import os from 'node:os';

import { formatIp, nthAddress, parseCidr } from '#base/cidr.ts';
import { isIP } from 'node:net';
import type { ServingNames } from './leaf-certificates.ts';
import type { ServerSettings } from './settings.ts';

/** Names and addresses under which clients reach this server; they go into its certificate. */
export function servingNames(settings: ServerSettings): ServingNames {
  const domain = settings.clusterDomain;
  const extra = settings.tlsSans;
  const dnsNames = [
    'kubernetes',
    'kubernetes.default',
    'kubernetes.default.svc',
    `kubernetes.default.svc.${domain}`,
    'localhost',
    settings.nodeName,
    os.hostname(),
    ...extra.filter((name) => isIP(name) === 0),
  ];
  const ipAddresses = [
    '127.0.0.1',
    '::1',
    settings.advertiseAddress,
    ...settings.nodeIps,
    ...settings.serviceCidrs.map((cidr) => formatIp(nthAddress(parseCidr(cidr), 1))),
    ...extra.filter((name) => isIP(name) !== 0),
  ];
  return { dnsNames: [...new Set(dnsNames)], ipAddresses: [...new Set(ipAddresses)] };
}
