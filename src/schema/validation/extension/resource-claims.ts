import type {
  ResourceV1ResourceClaim,
  ResourceClaimTemplate,
  ResourceSlice,
} from '../../generated/types.ts';
import { checkImmutable } from '../checks.ts';
import { rootPath, specPath, statusPath } from '../field-path.ts';
import { dns1123SubdomainErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import { checkTypeRules } from '../type-rules.ts';

const prefix = 'io.k8s.api.resource.v1';

/** Claims of devices: what the types say, and what may not change. */
export const resourceClaimRules: KindRules<ResourceV1ResourceClaim> = {
  name: dns1123SubdomainErrors,
  check(errors, claim, old) {
    checkTypeRules(errors, `${prefix}.ResourceClaim`, claim, old);
  },
  update(errors, { spec }, old) {
    checkImmutable(errors, rootPath, 'spec', spec, old.spec);
  },
  subresources: {
    status(errors, { status }, { status: old }) {
      if (old?.allocation === undefined || status?.allocation === undefined) return;
      checkImmutable(errors, statusPath, 'allocation', status.allocation, old.allocation);
    },
  },
};

export const resourceClaimTemplateRules: KindRules<ResourceClaimTemplate> = {
  name: dns1123SubdomainErrors,
  check(errors, template, old) {
    checkTypeRules(errors, `${prefix}.ResourceClaimTemplate`, template, old);
  },
  update(errors, { spec }, old) {
    checkImmutable(errors, rootPath, 'spec', spec, old.spec);
  },
};

export const resourceSliceRules: KindRules<ResourceSlice> = {
  name: dns1123SubdomainErrors,
  check(errors, slice, old) {
    checkTypeRules(errors, `${prefix}.ResourceSlice`, slice, old);
  },
  update(errors, { spec }, { spec: old }) {
    checkImmutable(errors, specPath, 'pool.name', spec?.pool?.name, old?.pool?.name);
    checkImmutable(errors, specPath, 'driver', spec?.driver, old?.driver);
    checkImmutable(errors, specPath, 'nodeName', spec?.nodeName, old?.nodeName);
  },
};
