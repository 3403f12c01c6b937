import { hasReason } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Client } from '#client/mod.ts';
import type { ResourceInfo } from '#schema/mod.ts';
import type { ValidatingAdmissionPolicy } from '#schema/types.ts';
import type { ObjectReader } from '../../../authz/object-reader.ts';
import { policyKinds } from '../policy-kinds.ts';
import { checkPolicyTypes } from './check-policy.ts';
import type { CustomTypes } from './check-policy.ts';

export interface PolicyStatusOptions {
  readonly reader: ObjectReader;
  readonly client: Client;
  readonly resources: () => readonly ResourceInfo[];
  /** Types of custom kinds. */
  readonly customTypes: CustomTypes;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/**
 * Writes status.typeChecking and status.observedGeneration of ValidatingAdmissionPolicies after
 * each change of their spec, as upstream's validatingadmissionpolicy-status-controller, one at a time.
 * A conflict is left to the change that caused it.
 */
export function keepPolicyStatus(options: PolicyStatusOptions): void {
  const { reader, signal, log } = options;
  const waiting = new Map<string, ValidatingAdmissionPolicy>();
  let isBusy = false;
  const work = async (): Promise<void> => {
    if (isBusy) return;
    isBusy = true;
    for (const [name, policy] of waiting) {
      if (signal.aborted) break;
      waiting.delete(name);
      try {
        await writeStatus(policy, options);
      } catch (error) {
        if (hasReason(error, 'Conflict') || hasReason(error, 'NotFound') || signal.aborted)
          continue;
        log.warning('Cannot write the status of a policy', { name, error: messageOf(error) });
      }
    }
    isBusy = false;
  };
  const stop = reader.onChange<ValidatingAdmissionPolicy>(
    policyKinds.validating.policies,
    ({ next }) => {
      if (next === undefined || isObserved(next)) return;
      waiting.set(next.metadata.name, next);
      setImmediate(() => void work());
    },
  );
  signal.addEventListener('abort', stop, { once: true });
}

function isObserved({ metadata, status }: ValidatingAdmissionPolicy): boolean {
  return (metadata.generation ?? 0) <= (status?.observedGeneration ?? 0);
}

async function writeStatus(
  policy: ValidatingAdmissionPolicy,
  { client, resources, customTypes }: PolicyStatusOptions,
): Promise<void> {
  const warnings = checkPolicyTypes(policy.spec ?? {}, resources(), customTypes);
  await client.update<ValidatingAdmissionPolicy>(
    policyKinds.validating.policies,
    {
      ...policy,
      status: {
        ...policy.status,
        observedGeneration: policy.metadata.generation ?? 0,
        typeChecking: warnings.length === 0 ? {} : { expressionWarnings: warnings },
      },
    },
    { subresource: 'status' },
  );
}
