import { formatTime } from '#base/clock.ts';
import type { FieldError, UnknownObject } from '#schema/mod.ts';
import type { CustomResourceDefinition } from '#schema/types.ts';
import type { KindHooks } from '../kinds/kind-hooks.ts';
import { withCondition } from './conditions.ts';
import { definitionErrors } from './definition-errors.ts';
import { formatWarnings } from './format-warnings.ts';

export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io';

/** What definitions need beyond the tables: instances go first, schemas are looked into. */
export function createDefinitionHooks(options: { now: () => number }): KindHooks {
  return {
    beginDelete(object) {
      const definition = asDefinition(object);
      const { metadata } = definition;
      if (metadata.deletionTimestamp !== undefined) return false;
      metadata.finalizers ??= [];
      if (!metadata.finalizers.includes(cleanupFinalizer)) {
        metadata.finalizers = [...metadata.finalizers, cleanupFinalizer];
      }
      metadata.deletionTimestamp = formatTime(options.now());
      const { generation } = metadata;
      const conditions = withCondition(
        definition.status?.conditions,
        {
          type: 'Terminating',
          status: 'True',
          reason: 'InstanceDeletionPending',
          message:
            'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
          ...(generation === undefined ? {} : { observedGeneration: generation }),
        },
        options.now(),
      );
      definition.status = { ...definition.status, conditions: [...conditions] };
      return true;
    },
    validate: (object, old, { subresource }): readonly FieldError[] =>
      subresource === 'status'
        ? []
        : definitionErrors(asDefinition(object), old === undefined ? undefined : asDefinition(old)),
    warnings: (object, old) =>
      formatWarnings(asDefinition(object), old === undefined ? undefined : asDefinition(old)),
  };
}

function asDefinition(object: UnknownObject): CustomResourceDefinition {
  return object as unknown as CustomResourceDefinition;
}
