/** Writes the generated pages of docs/reference. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { renderCommandsReference } from '../../src/cli/commands-reference.ts';
import { renderFlagsReference } from '../../src/cli/flags/reference.ts';
import { renderKubeletReference } from '../../src/kubelet/configuration/mod.ts';
import { renderFeatureGates } from '../../src/schema/feature-gates/mod.ts';
import { renderValidationReference } from '../../src/schema/validation/testing/rule-page.ts';
import {
  controllerManagerArgTable,
  renderArgsPage,
  schedulerArgTable,
} from '../../src/server/component-args/mod.ts';
import { renderArgsReference } from '../../src/server/api-server-args/mod.ts';

const folder = join(import.meta.dirname, '..', '..', 'docs', 'reference');

writeFileSync(join(folder, 'feature-gates.md'), renderFeatureGates());
writeFileSync(join(folder, 'commands.md'), await renderCommandsReference());
writeFileSync(join(folder, 'flags.md'), renderFlagsReference());
writeFileSync(join(folder, 'kube-apiserver-args.md'), renderArgsReference());
const tables = {
  'kube-controller-manager': controllerManagerArgTable,
  'kube-scheduler': schedulerArgTable,
};
for (const [component, table] of Object.entries(tables)) {
  const page = renderArgsPage(component, 'src/server/component-args', table);
  writeFileSync(join(folder, `${component}-args.md`), page);
}
writeFileSync(join(folder, 'kubelet.md'), renderKubeletReference());
writeFileSync(join(folder, 'validation.md'), renderValidationReference());
