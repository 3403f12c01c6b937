import type { KindHooks, KindHookTable } from './kind-hooks.ts';
import { certificateSigningRequestHooks } from './certificate-signing-request.ts';
import { jobHooks } from './job.ts';
import { namespaceHooks } from './namespace.ts';
import { podHooks } from './pod.ts';
import { secretHooks } from './secret.ts';

const returnsDeleted: KindHooks = { returnsDeleted: true };

/** What the built-in kinds need beyond tables. */
export function createKindHooks(): KindHookTable {
  return {
    'certificatesigningrequests.certificates.k8s.io': certificateSigningRequestHooks,
    'jobs.batch': jobHooks,
    namespaces: namespaceHooks,
    persistentvolumeclaims: returnsDeleted,
    persistentvolumes: returnsDeleted,
    pods: podHooks,
    podtemplates: returnsDeleted,
    resourcequotas: returnsDeleted,
    secrets: secretHooks,
    serviceaccounts: returnsDeleted,
    services: returnsDeleted,
  };
}

/** Both tables in one; where a kind is in both, the functions of `more` win. */
export function mergeHooks(base: KindHookTable, more: KindHookTable): KindHookTable {
  const merged: Record<string, KindHooks> = { ...base };
  for (const [kind, hooks] of Object.entries(more)) merged[kind] = { ...merged[kind], ...hooks };
  return merged;
}
