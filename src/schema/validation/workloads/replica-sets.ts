import type {
  ControllerRevision,
  ReplicaSet,
  ReplicationController,
} from '../../generated/types.ts';
import { checkImmutable, checkNotNegative } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import { rootPath, specPath } from '../field-path.ts';
import { dns1123SubdomainErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import { isEmpty } from '../unchecked.ts';
import { checkCounts, checkParts } from './replica-counts.ts';
import {
  checkLastingTemplate,
  checkTemplateLabels,
  checkWorkloadSelector,
} from './workload-template.ts';

const counters = [
  'replicas',
  'fullyLabeledReplicas',
  'readyReplicas',
  'availableReplicas',
  'observedGeneration',
];
const parts = ['fullyLabeledReplicas', 'readyReplicas', 'availableReplicas'];

export const replicaSetRules: KindRules<ReplicaSet> = {
  name: dns1123SubdomainErrors,
  check(errors, { spec = {} }, old) {
    checkNotNegative(errors, specPath, 'replicas', spec.replicas);
    checkNotNegative(errors, specPath, 'minReadySeconds', spec.minReadySeconds);
    checkWorkloadSelector(errors, specPath, spec, 'deployment', old?.spec);
    checkTemplateLabels(errors, specPath, spec);
    const options = { old: old?.spec?.template };
    checkLastingTemplate(errors, specPath, spec.template ?? {}, 'ReplicaSet', options);
  },
  update(errors, { spec }, old) {
    checkImmutable(errors, specPath, 'selector', spec?.selector, old.spec?.selector);
  },
  subresources: {
    status(errors, { status = {} }) {
      checkCounts(errors, status, [...counters, 'terminatingReplicas']);
      checkParts(errors, status, parts);
    },
  },
};

export const replicationControllerRules: KindRules<ReplicationController> = {
  name: dns1123SubdomainErrors,
  check(errors, { spec = {} }, old) {
    const { selector, template, replicas } = spec;
    checkNotNegative(errors, specPath, 'minReadySeconds', spec.minReadySeconds);
    if (isEmpty(selector)) errors.required(specPath, 'selector');
    if (replicas === undefined) errors.required(specPath, 'replicas');
    else checkNotNegative(errors, specPath, 'replicas', replicas);
    if (template === undefined) {
      errors.required(specPath, 'template');
      return;
    }
    checkTemplateLabels(errors, specPath, { selector: { matchLabels: selector }, template });
    const options = { old: old?.spec?.template };
    checkLastingTemplate(errors, specPath, template, 'ReplicationController', options);
  },
  subresources: {
    status(errors, { status = {} }) {
      checkCounts(errors, status, counters);
      checkParts(errors, status, parts);
    },
  },
};

export const controllerRevisionRules: KindRules<ControllerRevision> = {
  name: dns1123SubdomainErrors,
  check(errors, { revision }) {
    checkNotNegative(errors, rootPath, 'revision', revision);
  },
  create(errors, { data }) {
    checkData(errors, data);
  },
  update(errors, { data }, old) {
    checkImmutable(errors, rootPath, 'data', data, old.data);
  },
};

function checkData(errors: ErrorList, data: unknown): void {
  if (data === undefined || data === null) errors.required(rootPath, 'data', 'data is mandatory');
  else if (typeof data !== 'object' || Array.isArray(data)) {
    errors.required(rootPath, 'data', 'data must be a valid JSON object');
  }
}
