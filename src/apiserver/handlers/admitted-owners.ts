import { managedFieldsProblem } from '#schema/apply/mod.ts';
import type { AdmissionAttributes } from '../admission/plugin.ts';
import type { AdmissionChain } from '../pipeline/admission-chain.ts';

/**
 * Mutating admission, after which managed fields that plugins broke are as they were before, with
 * upstream's warning to the client.
 */
export async function mutateKeepingManagers(
  admission: AdmissionChain,
  attributes: AdmissionAttributes,
): Promise<void> {
  const before = attributes.object?.metadata.managedFields;
  await admission.mutate(attributes);
  const { object, context } = attributes;
  const after = object?.metadata.managedFields;
  if (object === undefined || after === undefined || after === before) return;
  const problem = managedFieldsProblem(after);
  if (problem === undefined) return;
  const { managedFields: _broken, ...metadata } = object.metadata;
  object.metadata = before === undefined ? metadata : { ...metadata, managedFields: before };
  context.warnings.add(
    `.metadata.managedFields was in an invalid state after admission; this could be caused by an outdated mutating admission controller; please fix your requests: ${problem}`,
  );
}
