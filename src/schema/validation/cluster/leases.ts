import type { Lease } from '../../generated/types.ts';
import { labelKeyErrors } from '../../selectors/label-syntax.ts';
import { checkFormat, checkNotNegative, checkOneOf } from '../checks.ts';
import { specPath } from '../field-path.ts';
import { dns1123SubdomainErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';

const leaseStrategy = 'OldestEmulationVersion';

export const leaseRules: KindRules<Lease> = {
  name: dns1123SubdomainErrors,
  kubeFinalizers: false,
  check(errors, { spec = {} }) {
    const { leaseDurationSeconds: seconds, strategy } = spec;
    if (seconds !== undefined && seconds <= 0) {
      errors.invalid(specPath, 'leaseDurationSeconds', seconds, 'must be greater than 0');
    }
    checkNotNegative(errors, specPath, 'leaseTransitions', spec.leaseTransitions);
    if (strategy !== undefined) {
      const path = specPath.child('strategy');
      if (strategy.includes('/')) checkFormat(errors, path, 'strategy', strategy, labelKeyErrors);
      else checkOneOf(errors, path, 'strategy', strategy, [leaseStrategy]);
    } else if ((spec.preferredHolder ?? '') !== '') {
      const detail = 'may only be specified if `strategy` is defined';
      errors.forbidden(specPath, 'preferredHolder', detail);
    }
  },
};
