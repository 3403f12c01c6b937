import type { Namespace, ServiceAccount } from '../../generated/types.ts';
import { labelKeyErrors } from '../../selectors/label-syntax.ts';
import { checkFormat } from '../checks.ts';
import { specPath, statusPath } from '../field-path.ts';
import { dns1123LabelErrors, dns1123SubdomainErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import { checkStandardFinalizer } from '../shared/object-meta.ts';

const finalizersPath = specPath.child('finalizers');

export const namespaceRules: KindRules<Namespace> = {
  name: dns1123LabelErrors,
  create(errors, { spec }) {
    for (const name of spec?.finalizers ?? []) {
      checkFormat(errors, finalizersPath, '', name, labelKeyErrors);
      checkStandardFinalizer(errors, finalizersPath, '', name);
    }
  },
  subresources: {
    finalize(errors, { spec }) {
      (spec?.finalizers ?? []).forEach((name, index) => {
        checkFormat(errors, finalizersPath, index, name, labelKeyErrors);
        checkStandardFinalizer(errors, finalizersPath, index, name);
      });
    },
    status(errors, { metadata, status }) {
      const phase = status?.phase ?? '';
      const isGoing = metadata?.deletionTimestamp !== undefined;
      if (phase === (isGoing ? 'Terminating' : 'Active')) return;
      const detail = isGoing
        ? "may only be 'Terminating' if `deletionTimestamp` is not empty"
        : "may only be 'Active' if `deletionTimestamp` is empty";
      errors.invalid(statusPath, 'Phase', phase, detail);
    },
  },
};

export const serviceAccountRules: KindRules<ServiceAccount> = { name: dns1123SubdomainErrors };
