import type { DiscoveryV1EndpointPort, Endpoint, EndpointSlice } from '../../generated/types.ts';
import { jsonEqual } from '../../patch/json-equal.ts';
import { labelKeyErrors, labelValueErrors } from '../../selectors/label-syntax.ts';
import type { Format } from '../checks.ts';
import {
  checkFormat,
  checkImmutable,
  checkMaxItems,
  checkOptionalFormat,
  requireOneOf,
} from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { rootPath } from '../field-path.ts';
import { checkEndpointIp, ipFamily, sloppyIpErrors, strictIpErrors } from '../formats/addresses.ts';
import { checkFqdn } from '../formats/domain-names.ts';
import { dns1123LabelErrors, dns1123SubdomainErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import { portProtocols } from '../pods/containers.ts';
import { checkLabels } from '../shared/object-meta.ts';
import { isEmpty } from '../unchecked.ts';
import type { Unchecked } from '../unchecked.ts';

const addressTypes = ['FQDN', 'IPv4', 'IPv6'];
const maxPorts = 20000;
const maxEndpoints = 1000;
const maxAddresses = 100;
const maxTopologyLabels = 16;
const maxHints = 8;

export const endpointSliceRules: KindRules<EndpointSlice> = {
  name: dns1123SubdomainErrors,
  check(errors, slice, old) {
    const { addressType = '', ports = [], endpoints = [] } = slice;
    requireOneOf(errors, rootPath, 'addressType', addressType, addressTypes);
    checkPorts(errors, ports);
    if (old !== undefined && jsonEqual(endpoints, old.endpoints)) return;
    checkMaxItems(errors, rootPath, 'endpoints', endpoints, maxEndpoints);
    if (endpoints.length > maxEndpoints) return;
    const path = rootPath.child('endpoints');
    for (let index = 0; index < endpoints.length; index++) {
      checkEndpoint(errors, path.at(index), endpoints[index] ?? {}, addressType);
    }
  },
  update(errors, { addressType }, old) {
    checkImmutable(errors, rootPath, 'addressType', addressType, old.addressType);
  },
};

function checkPorts(
  errors: ErrorList,
  ports: ReadonlyArray<Unchecked<DiscoveryV1EndpointPort>>,
): void {
  checkMaxItems(errors, rootPath, 'ports', ports, maxPorts);
  if (ports.length > maxPorts) return;
  const names = new Set<string>();
  ports.forEach(({ name = '', protocol, appProtocol }, index) => {
    const path = rootPath.child('ports').at(index);
    checkOptionalFormat(errors, path, 'name', name, dns1123LabelErrors);
    if (names.has(name)) errors.duplicate(path, 'name', name);
    names.add(name);
    requireOneOf(errors, path, 'protocol', protocol, portProtocols);
    if (appProtocol !== undefined) {
      checkFormat(errors, path, 'appProtocol', appProtocol, labelKeyErrors);
    }
  });
}

function checkEndpoint(
  errors: ErrorList,
  path: FieldPath,
  endpoint: Unchecked<Endpoint>,
  addressType: string,
): void {
  const { addresses = [], nodeName, deprecatedTopology, hostname, hints } = endpoint;
  if (addresses.length === 0) {
    errors.required(path, 'addresses', 'must contain at least 1 address');
  }
  checkMaxItems(errors, path, 'addresses', addresses, maxAddresses);
  if (addresses.length <= maxAddresses) checkAddresses(errors, path, addresses, addressType);
  if (nodeName !== undefined) {
    checkFormat(errors, path, 'nodeName', nodeName, dns1123SubdomainErrors);
  }
  if (deprecatedTopology !== undefined && !isEmpty(deprecatedTopology)) {
    checkMaxItems(
      errors,
      path,
      'deprecatedTopology',
      Object.keys(deprecatedTopology),
      maxTopologyLabels,
    );
    checkLabels(errors, path, 'deprecatedTopology', deprecatedTopology);
  }
  if (hostname !== undefined) checkFormat(errors, path, 'hostname', hostname, dns1123LabelErrors);
  if (hints === undefined) return;
  const at = path.child('hints');
  checkHints(errors, at, 'forZones', hints.forZones ?? [], labelValueErrors);
  checkHints(errors, at, 'forNodes', hints.forNodes ?? [], dns1123SubdomainErrors);
}

function checkAddresses(
  errors: ErrorList,
  endpoint: FieldPath,
  addresses: readonly string[],
  addressType: string,
): void {
  const path = endpoint.child('addresses');
  for (let index = 0; index < addresses.length; index++) {
    const address = addresses[index] ?? '';
    if (addressType === 'FQDN') checkFqdn(errors, path, index, address);
    else if (addressType === 'IPv4' || addressType === 'IPv6') {
      const is4 = addressType === 'IPv4';
      checkFormat(errors, path, index, address, is4 ? sloppyIpErrors : strictIpErrors);
      if (ipFamily(address) !== (is4 ? 4 : 6)) {
        errors.invalid(path, '', address, `must be an ${addressType} address`);
      }
      checkEndpointIp(errors, path, index, address);
    }
  }
}

function checkHints(
  errors: ErrorList,
  hints: FieldPath,
  field: string,
  list: ReadonlyArray<{ readonly name?: string | undefined }>,
  format: Format,
): void {
  if (list.length > maxHints) {
    errors.tooMany(hints, field, list.length, maxHints);
    return;
  }
  const seen = new Set<string>();
  list.forEach(({ name = '' }, index) => {
    const at = hints.child(field).at(index);
    if (seen.has(name)) errors.duplicate(at, 'name', name);
    seen.add(name);
    checkFormat(errors, at, 'name', name, format);
  });
}
