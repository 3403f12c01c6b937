import type { NetworkPolicy, NetworkPolicyPeer, NetworkPolicyPort } from '../../generated/types.ts';
import { cidrContainsCidr, tryParseCidr } from '#base/cidr.ts';
import { checkFormat, checkOneOf } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { specPath } from '../field-path.ts';
import { checkLegacyCidr } from '../formats/addresses.ts';
import { dns1123SubdomainErrors } from '../formats/names.ts';
import { checkPort, portNameErrors } from '../formats/ports.ts';
import type { KindRules } from '../kind-rules.ts';
import { checkLabelSelector } from '../shared/label-selector.ts';
import type { Unchecked } from '../unchecked.ts';

const protocols = ['TCP', 'UDP', 'SCTP'];
const policyTypes = ['Ingress', 'Egress'];

interface Rule {
  readonly ports?: ReadonlyArray<Unchecked<NetworkPolicyPort>> | undefined;
  readonly peers?: ReadonlyArray<Unchecked<NetworkPolicyPeer>> | undefined;
}

export const networkPolicyRules: KindRules<NetworkPolicy> = {
  name: dns1123SubdomainErrors,
  check(errors, { spec = {} }, old) {
    const known = knownRanges(old);
    checkLabelSelector(errors, specPath.child('podSelector'), spec.podSelector);
    (spec.ingress ?? []).forEach(({ ports, from }, index) => {
      checkRule(errors, specPath.child('ingress').at(index), 'from', { ports, peers: from }, known);
    });
    (spec.egress ?? []).forEach(({ ports, to }, index) => {
      checkRule(errors, specPath.child('egress').at(index), 'to', { ports, peers: to }, known);
    });
    const types = spec.policyTypes ?? [];
    if (types.length > policyTypes.length) {
      const detail = 'may not specify more than two policyTypes';
      errors.invalid(specPath, 'policyTypes', types, detail);
      return;
    }
    types.forEach((type, index) => {
      checkOneOf(errors, specPath.child('policyTypes'), index, type, policyTypes);
    });
  },
};

/** Ranges of the stored policy, which stay good. */
function knownRanges(old: Unchecked<NetworkPolicy> | undefined): readonly string[] {
  const peers = [
    ...(old?.spec?.ingress?.flatMap(({ from = [] }) => from) ?? []),
    ...(old?.spec?.egress?.flatMap(({ to = [] }) => to) ?? []),
  ];
  return peers.flatMap(({ ipBlock }) => [ipBlock?.cidr ?? '', ...(ipBlock?.except ?? [])]);
}

function checkRule(
  errors: ErrorList,
  path: FieldPath,
  peersField: string,
  { ports = [], peers = [] }: Rule,
  known: readonly string[],
): void {
  ports.forEach((port, index) => checkPolicyPort(errors, path.child('ports').at(index), port));
  peers.forEach((peer, index) => {
    checkPeer(errors, path.child(peersField).at(index), peer, known);
  });
}

function checkPolicyPort(
  errors: ErrorList,
  path: FieldPath,
  { protocol, port, endPort }: Unchecked<NetworkPolicyPort>,
): void {
  checkOneOf(errors, path, 'protocol', protocol, protocols);
  if (port === undefined) {
    if (endPort === undefined) return;
    const detail = 'may not be specified when `port` is not specified';
    errors.invalid(path, 'endPort', endPort, detail);
  } else if (typeof port === 'number') {
    checkPort(errors, path, 'port', port);
    if (endPort === undefined) return;
    if (endPort < port) {
      errors.invalid(path, 'endPort', port, 'must be greater than or equal to `port`');
    }
    checkPort(errors, path, 'endPort', endPort);
  } else {
    if (endPort !== undefined) {
      const detail = 'may not be specified when `port` is non-numeric';
      errors.invalid(path, 'endPort', endPort, detail);
    }
    checkFormat(errors, path, 'port', port, portNameErrors);
  }
}

function checkPeer(
  errors: ErrorList,
  path: FieldPath,
  { podSelector, namespaceSelector, ipBlock }: Unchecked<NetworkPolicyPeer>,
  known: readonly string[],
): void {
  checkLabelSelector(errors, path.child('podSelector'), podSelector);
  checkLabelSelector(errors, path.child('namespaceSelector'), namespaceSelector);
  if (ipBlock !== undefined) checkIpBlock(errors, path.child('ipBlock'), ipBlock, known);
  const hasSelector = podSelector !== undefined || namespaceSelector !== undefined;
  if (!hasSelector && ipBlock === undefined) errors.required(path, '', 'must specify a peer');
  else if (hasSelector && ipBlock !== undefined) {
    errors.forbidden(path, '', 'may not specify both ipBlock and another peer');
  }
}

function checkIpBlock(
  errors: ErrorList,
  path: FieldPath,
  { cidr = '', except = [] }: NonNullable<Unchecked<NetworkPolicyPeer>['ipBlock']>,
  known: readonly string[],
): void {
  if (cidr === '') {
    errors.required(path, 'cidr');
    return;
  }
  if (!checkLegacyCidr(errors, path, 'cidr', cidr, known)) return;
  const outer = tryParseCidr(cidr);
  except.forEach((range, index) => {
    const at = path.child('except');
    if (!checkLegacyCidr(errors, at, index, range, known)) return;
    const inner = tryParseCidr(range);
    const isInside =
      outer !== undefined &&
      inner !== undefined &&
      cidrContainsCidr(outer, inner) &&
      inner.prefixLength > outer.prefixLength;
    if (isInside) return;
    errors.invalid(at, index, range, 'must be a strict subset of `cidr`');
  });
}
