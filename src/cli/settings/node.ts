import os from 'node:os';

import { K3tsError } from '#base/errors.ts';
import { primaryAddress } from '#host/interfaces.ts';
import { listFlag, stringFlag } from '../flags/flag.ts';
import type { FlagValues } from '../flags/flag.ts';
import { checkReachableAddresses } from './networks.ts';

const namePattern = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** --node-name, or the host's name, in lower case as Kubernetes wants it. */
export function readNodeName(values: FlagValues): string {
  const name = (stringFlag(values, 'node-name') ?? os.hostname()).toLowerCase();
  if (!namePattern.test(name) || name.length > 253) {
    throw new K3tsError(
      'Usage',
      `invalid node name "${name}": lower-case letters, digits, "-" and "." expected; set --node-name`,
    );
  }
  return name;
}

/** --node-ip, or the address of the interface with the default route. */
export async function readNodeIps(values: FlagValues): Promise<readonly string[]> {
  const given = checkReachableAddresses('node-ip', listFlag(values, 'node-ip'));
  if (given.length > 0) return given;
  const address = (await primaryAddress(4)) ?? (await primaryAddress(6));
  if (address === undefined) {
    throw new K3tsError(
      'Usage',
      'no default route found to take the node address from: set --node-ip to an address of this machine;' +
        ' one without a network needs an interface for it, such as: ip link add dummy0 type dummy &&' +
        ' ip addr add 203.0.113.254/31 dev dummy0 && ip link set dummy0 up',
    );
  }
  return [address];
}
