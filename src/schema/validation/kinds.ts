import { configMapRules, secretRules } from './cluster/config-maps.ts';
import { namespaceRules, serviceAccountRules } from './cluster/namespaces.ts';
import { podRules } from './pods/pod.ts';
import { podTemplateRules } from './pods/template.ts';
import type { AnyKindRules } from './kind-rules.ts';

/** By `group/Kind`, or `group/Kind/version` where versions differ. */
export const kindRules: Readonly<Record<string, AnyKindRules>> = {
  '/ConfigMap': configMapRules,
  '/Namespace': namespaceRules,
  '/Pod': podRules,
  '/PodTemplate': podTemplateRules,
  '/Secret': secretRules,
  '/ServiceAccount': serviceAccountRules,
};
