/** Writes the generated pages of docs/reference. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { renderFlagsReference } from '../../src/cli/flags/reference.ts';
import { renderKubeletReference } from '../../src/kubelet/configuration/mod.ts';
import { renderValidationReference } from '../../src/schema/validation/testing/rule-page.ts';
import { renderArgsReference } from '../../src/server/api-server-args/mod.ts';

const folder = join(import.meta.dirname, '..', '..', 'docs', 'reference');

writeFileSync(join(folder, 'flags.md'), renderFlagsReference());
writeFileSync(join(folder, 'kube-apiserver-args.md'), renderArgsReference());
writeFileSync(join(folder, 'kubelet.md'), renderKubeletReference());
writeFileSync(join(folder, 'validation.md'), renderValidationReference());
