import type { Node, NodeConfigSource, NodeSpec, NodeStatus, Taint } from '../../generated/types.ts';
import { jsonEqual } from '../../patch/json-equal.ts';
import { labelKeyErrors, labelValueErrors } from '../../selectors/label-syntax.ts';
import { checkFormat, requireFormat, requireOneOf } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { metadataPath, specPath, statusPath } from '../field-path.ts';
import { cidrFamily, checkLegacyCidr, hasOneOfEachFamily } from '../formats/addresses.ts';
import {
  configMapKeyErrors,
  dns1123LabelErrors,
  dns1123SubdomainErrors,
  maxLengthText,
} from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import { checkResourceAmount } from '../shared/quantities.ts';
import { taintEffects } from '../shared/tolerations.ts';
import type { StringMap, Unchecked } from '../unchecked.ts';

export const nodeRules: KindRules<Node> = {
  name: dns1123SubdomainErrors,
  check(errors, { spec = {}, status = {} }, old) {
    checkTaints(errors, metadataPath.child('taints'), spec.taints ?? []);
    checkAmounts(errors, 'capacity', status.capacity);
    checkAmounts(errors, 'allocatable', status.allocatable);
    checkFeatures(errors, status.declaredFeatures ?? []);
    if (old !== undefined) return;
    checkPodCidrs(errors, spec.podCIDRs ?? []);
    const swapBytes = status.nodeInfo?.swap?.capacity;
    if (swapBytes !== undefined && swapBytes <= 0) {
      const path = metadataPath.child('nodeSwapStatus');
      errors.invalid(path, 'capacity', swapBytes, 'must be greater than zero');
    }
  },
  update: checkNodeUpdate,
  subresources: {
    status(errors, node, old) {
      checkAmounts(errors, 'capacity', node.status?.capacity);
      checkAmounts(errors, 'allocatable', node.status?.allocatable);
      checkFeatures(errors, node.status?.declaredFeatures ?? []);
      checkNodeUpdate(errors, node, old);
    },
  },
};

/** Reported below metadata, as upstream does. */
function checkTaints(
  errors: ErrorList,
  path: FieldPath,
  taints: ReadonlyArray<Unchecked<Taint>>,
): void {
  const seen = new Set<string>();
  taints.forEach((taint, index) => {
    const { key = '', value = '', effect = '' } = taint;
    const at = path.at(index);
    checkFormat(errors, at, 'key', key, labelKeyErrors);
    const messages = labelValueErrors(value);
    if (messages.length > 0) errors.invalid(at, 'value', value, messages.join(';'));
    requireOneOf(errors, at, 'effect', effect, taintEffects);
    const pair = `${effect} ${key}`;
    if (seen.has(pair)) {
      errors.duplicate(at, '', taint, 'taints must be unique by key and effect pair');
    }
    seen.add(pair);
  });
}

function checkAmounts(
  errors: ErrorList,
  field: 'capacity' | 'allocatable',
  amounts: StringMap | undefined,
): void {
  for (const name in amounts) {
    const path = statusPath.child(field).child(name);
    checkResourceAmount(errors, path, '', name, amounts[name] ?? '0');
  }
}

const featurePattern = /^[A-Z][a-zA-Z0-9]*(\/[a-zA-Z][a-zA-Z0-9]*)*$/;
const featureText =
  "must start with an UpperCamelCase segment, with subsequent segments separated by '/' (e.g., MyFeature or MyFeature/mySubFeature), and contain only alphanumeric characters and slashes";

function checkFeatures(errors: ErrorList, features: readonly string[]): void {
  const path = statusPath.child('declaredFeatures');
  features.forEach((feature, index) => {
    const say = (text: string): void =>
      errors.invalid(path, index, feature, `invalid feature name "${feature}": ${text}`);
    if (feature.length > 253) say(maxLengthText(253));
    else if (!featurePattern.test(feature)) say(featureText);
    const before = features[index - 1];
    if (before === undefined) return;
    if (before === feature) errors.duplicate(path, index, feature);
    else if (before > feature) {
      errors.invalid(path, index, feature, 'list must be sorted alphabetically');
    }
  });
}

function checkPodCidrs(errors: ErrorList, cidrs: readonly string[]): void {
  const path = specPath.child('podCIDRs');
  let areGood = true;
  cidrs.forEach((cidr, index) => {
    if (!checkLegacyCidr(errors, path, index, cidr, undefined)) areGood = false;
  });
  if (!areGood || cidrs.length < 2 || hasOneOfEachFamily(cidrs.map(cidrFamily))) return;
  const detail = 'may specify no more than one CIDR for each IP family';
  errors.invalid(path, '', cidrs, detail);
}

function checkNodeUpdate(
  errors: ErrorList,
  { spec = {}, status = {} }: Unchecked<Node>,
  { spec: old = {} }: Unchecked<Node>,
): void {
  checkNodeAddresses(errors, status);
  checkOnce(errors, spec, old);
  if (spec.configSource !== undefined) {
    checkConfigSource(errors, specPath.child('configSource'), spec.configSource, false);
  }
  for (const field of ['assigned', 'active', 'lastKnownGood'] as const) {
    const source = status.config?.[field];
    if (source === undefined) continue;
    checkConfigSource(errors, statusPath.child('config').child(field), source, true);
  }
  if ((spec.externalID ?? '') !== (old.externalID ?? '')) {
    errors.forbidden(specPath, 'externalID', 'may not be updated');
  }
}

function checkNodeAddresses(errors: ErrorList, { addresses = [] }: Unchecked<NodeStatus>): void {
  const seen = new Set<string>();
  addresses.forEach((address, index) => {
    const key = `${address.type ?? ''} ${address.address ?? ''}`;
    if (seen.has(key)) errors.duplicate(statusPath.child('addresses'), index, address);
    seen.add(key);
  });
}

/** The ranges of pods and the provider's id are given once. */
function checkOnce(errors: ErrorList, spec: Unchecked<NodeSpec>, old: Unchecked<NodeSpec>): void {
  const text = (field: string): string =>
    `node updates may not change ${field} except from "" to valid`;
  if ((old.podCIDRs?.length ?? 0) > 0) {
    if (!jsonEqual(spec.podCIDRs, old.podCIDRs)) {
      errors.forbidden(specPath, 'podCIDRs', text('podCIDR'));
    }
  } else checkPodCidrs(errors, spec.podCIDRs ?? []);
  const { providerID = '' } = old;
  if (providerID !== '' && spec.providerID !== providerID) {
    errors.forbidden(specPath, 'providerID', text('providerID'));
  }
}

function checkConfigSource(
  errors: ErrorList,
  path: FieldPath,
  source: Unchecked<NodeConfigSource>,
  isStatus: boolean,
): void {
  const { configMap } = source;
  if (configMap === undefined) {
    errors.invalid(path, '', source, 'exactly one reference subfield must be non-nil');
    return;
  }
  const at = path.child('configMap');
  for (const field of ['uid', 'resourceVersion'] as const) {
    const isSet = (configMap[field] ?? '') !== '';
    if (isStatus && !isSet) errors.required(at, field);
    if (!isStatus && isSet) errors.forbidden(at, field, `${field} must not be set in spec`);
  }
  requireFormat(errors, at, 'namespace', configMap.namespace, dns1123LabelErrors);
  requireFormat(errors, at, 'name', configMap.name, dns1123SubdomainErrors);
  requireFormat(errors, at, 'kubeletConfigKey', configMap.kubeletConfigKey, configMapKeyErrors);
}
