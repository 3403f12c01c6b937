import type { RuntimeClass } from '../../generated/types.ts';
import { checkImmutable, requireFormat } from '../checks.ts';
import { rootPath } from '../field-path.ts';
import { dns1123LabelErrors, dns1123SubdomainErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import { checkLabels } from '../shared/object-meta.ts';
import { checkResourceList } from '../shared/quantities.ts';
import { checkContainerResourceName } from '../shared/resource-names.ts';
import { checkToleration } from '../shared/tolerations.ts';

export const runtimeClassRules: KindRules<RuntimeClass> = {
  name: dns1123SubdomainErrors,
  kubeFinalizers: false,
  create(errors, { handler, overhead, scheduling }) {
    requireFormat(errors, rootPath, 'handler', handler, dns1123LabelErrors);
    const overheadPath = rootPath.child('overhead.limits');
    checkResourceList(errors, overheadPath, overhead?.podFixed, checkContainerResourceName);
    if (scheduling === undefined) return;
    const path = rootPath.child('scheduling');
    if (scheduling.nodeSelector !== undefined) {
      checkLabels(errors, path, 'nodeSelector', scheduling.nodeSelector);
    }
    const seen = new Set<string>();
    (scheduling.tolerations ?? []).forEach((toleration, index) => {
      const at = path.child('tolerations');
      checkToleration(errors, at.at(index), toleration);
      const { key = '', operator = '', value = '', effect = '' } = toleration;
      const same = JSON.stringify([key, operator, value, effect]);
      if (seen.has(same)) errors.duplicate(at, index, toleration);
      seen.add(same);
    });
  },
  update(errors, { handler }, old) {
    checkImmutable(errors, rootPath, 'handler', handler, old.handler);
  },
};
