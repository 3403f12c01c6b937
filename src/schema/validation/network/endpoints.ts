import type {
  CoreV1EndpointPort,
  EndpointAddress,
  EndpointSubset,
  Endpoints,
} from '../../generated/types.ts';
import { jsonEqual } from '../../patch/json-equal.ts';
import { labelKeyErrors } from '../../selectors/label-syntax.ts';
import { checkEach, checkFormat, checkOptionalFormat, requireOneOf } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { rootPath } from '../field-path.ts';
import { checkEndpointIp, sloppyIpErrors } from '../formats/addresses.ts';
import { dns1123LabelErrors, dns1123SubdomainErrors } from '../formats/names.ts';
import { checkPort } from '../formats/ports.ts';
import type { KindRules } from '../kind-rules.ts';
import { portProtocols } from '../pods/containers.ts';
import { isEmpty } from '../unchecked.ts';
import type { Unchecked } from '../unchecked.ts';

export const endpointsRules: KindRules<Endpoints> = {
  name: dns1123SubdomainErrors,
  check(errors, { subsets }, old) {
    if (old !== undefined && jsonEqual(subsets, old.subsets)) return;
    checkEach(errors, rootPath.child('subsets'), subsets, checkSubset);
  },
};

function checkSubset(
  errors: ErrorList,
  path: FieldPath,
  { addresses, notReadyAddresses, ports = [] }: Unchecked<EndpointSubset>,
): void {
  if (isEmpty(addresses) && isEmpty(notReadyAddresses)) {
    errors.required(path, '', 'must specify `addresses` or `notReadyAddresses`');
  }
  checkEach(errors, path.child('addresses'), addresses, checkAddress);
  checkEach(errors, path.child('notReadyAddresses'), notReadyAddresses, checkAddress);
  const portsPath = path.child('ports');
  ports.forEach((port, index) => {
    checkEndpointPort(errors, portsPath.at(index), port, ports.length > 1);
  });
}

function checkAddress(
  errors: ErrorList,
  path: FieldPath,
  { ip = '', hostname, nodeName }: Unchecked<EndpointAddress>,
): void {
  checkFormat(errors, path, 'ip', ip, sloppyIpErrors);
  checkOptionalFormat(errors, path, 'hostname', hostname, dns1123LabelErrors);
  if (nodeName !== undefined) {
    checkFormat(errors, path, 'nodeName', nodeName, dns1123SubdomainErrors);
  }
  checkEndpointIp(errors, path, 'ip', ip);
}

function checkEndpointPort(
  errors: ErrorList,
  path: FieldPath,
  { name = '', port, protocol, appProtocol }: Unchecked<CoreV1EndpointPort>,
  needsName: boolean,
): void {
  if (name !== '') checkFormat(errors, path, 'name', name, dns1123LabelErrors);
  else if (needsName) errors.required(path, 'name');
  checkPort(errors, path, 'port', port);
  requireOneOf(errors, path, 'protocol', protocol, portProtocols);
  if (appProtocol !== undefined) {
    checkFormat(errors, path, 'appProtocol', appProtocol, labelKeyErrors);
  }
}
