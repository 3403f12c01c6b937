import type { APIService } from '../../generated/types.ts';
import { checkFormat, checkOneOf, requireText } from '../checks.ts';
import { metadataPath, specPath, statusPath } from '../field-path.ts';
import { dns1035LabelErrors, dns1123SubdomainErrors, pathSegmentErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import { checkServicePort } from './webhook-clients.ts';

const conditionStatuses = ['True', 'False', 'Unknown'];

export const apiServiceRules: KindRules<APIService> = {
  name: pathSegmentErrors,
  kubeFinalizers: false,
  check(errors, { metadata, spec = {} }) {
    const { group = '', version = '', service, caBundle = '' } = spec;
    const required = `${version}.${group}`;
    if (metadata?.name !== required) {
      const detail = `must be \`spec.version+"."+spec.group\`: "${required}"`;
      errors.invalid(metadataPath, 'name', metadata?.name ?? '', detail);
    }
    if (group !== '') checkFormat(errors, specPath, 'group', group, dns1123SubdomainErrors);
    else if (version !== 'v1') {
      const detail = 'only v1 may have an empty group and it better be legacy kube';
      errors.required(specPath, 'group', detail);
    }
    checkFormat(errors, specPath, 'version', version, dns1035LabelErrors);
    const bounds = { groupPriorityMinimum: 20000, versionPriority: 1000 } as const;
    for (const [field, max] of Object.entries(bounds)) {
      const value = spec[field as keyof typeof bounds] ?? 0;
      if (value > 0 && value <= max) continue;
      errors.invalid(specPath, field, value, `must be positive and less than ${max}`);
    }
    if (service === undefined) {
      if (caBundle !== '') {
        const bytes = Buffer.from(caBundle, 'base64').length;
        const detail = 'local APIServices may not have a caBundle';
        errors.invalid(specPath, 'caBundle', `${bytes} bytes`, detail);
      }
      if (spec.insecureSkipTLSVerify === true) {
        const detail = 'local APIServices may not have insecureSkipTLSVerify';
        errors.invalid(specPath, 'insecureSkipTLSVerify', true, detail);
      }
    } else {
      const path = specPath.child('service');
      requireText(errors, path, 'namespace', service.namespace);
      requireText(errors, path, 'name', service.name);
      checkServicePort(errors, path, service.port ?? 443);
    }
    if (spec.insecureSkipTLSVerify === true && caBundle !== '') {
      const detail = 'may not be true if caBundle is present';
      errors.invalid(specPath, 'insecureSkipTLSVerify', true, detail);
    }
  },
  subresources: {
    status(errors, { status }) {
      (status?.conditions ?? []).forEach((condition, index) => {
        const path = statusPath.child('conditions').at(index);
        checkOneOf(errors, path, 'status', condition.status ?? '', conditionStatuses);
      });
    },
  },
};
