import type {
  DeviceClass,
  ResourceClaimTemplate,
  ResourceV1ResourceClaim,
} from '../../generated/types.ts';
import { checkEach, checkImmutable, checkMaxItems } from '../checks.ts';
import { rootPath, specPath } from '../field-path.ts';
import { dns1123SubdomainErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import { checkTemplateMeta } from '../shared/object-meta.ts';
import { isExtendedResource } from '../shared/resource-names.ts';
import { checkClaimSpec } from './claim-spec.ts';
import { checkClaimStatus } from './claim-status.ts';
import { checkDeviceConfig } from './device-config.ts';
import { checkDeviceSelectors } from './device-requests.ts';

const maxConfigs = 32;

export const resourceClaimRules: KindRules<ResourceV1ResourceClaim> = {
  name: dns1123SubdomainErrors,
  create(errors, { spec }) {
    checkClaimSpec(errors, specPath, spec);
  },
  update(errors, { spec }, old) {
    checkImmutable(errors, rootPath, 'spec', spec, old.spec);
  },
  subresources: { status: checkClaimStatus },
};

export const resourceClaimTemplateRules: KindRules<ResourceClaimTemplate> = {
  name: dns1123SubdomainErrors,
  create(errors, { spec }) {
    checkTemplateMeta(errors, specPath.child('metadata'), spec?.metadata);
    checkClaimSpec(errors, specPath.child('spec'), spec?.spec);
  },
  update(errors, { spec }, old) {
    checkImmutable(errors, rootPath, 'spec', spec, old.spec);
  },
};

export const deviceClassRules: KindRules<DeviceClass> = {
  name: dns1123SubdomainErrors,
  check(errors, { spec }, old) {
    const { selectors, config, extendedResourceName } = spec ?? {};
    checkDeviceSelectors(errors, specPath, selectors);
    checkMaxItems(errors, specPath, 'config', config, maxConfigs);
    checkEach(errors, specPath.child('config'), config, (_errors, path, { opaque }, index) => {
      const stored = old?.spec?.config?.[index]?.opaque?.parameters;
      checkDeviceConfig(errors, path, opaque, stored);
    });
    if (extendedResourceName !== undefined && !isExtendedResource(extendedResourceName)) {
      const detail = 'must be a valid extended resource name';
      errors.invalid(specPath, 'extendedResourceName', extendedResourceName, detail);
    }
  },
};
