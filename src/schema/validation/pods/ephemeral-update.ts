import type { Pod } from '../../generated/types.ts';
import { jsonEqual } from '../../patch/json-equal.ts';
import type { ErrorList } from '../error-list.ts';
import { rootPath, specPath } from '../field-path.ts';
import type { Unchecked } from '../unchecked.ts';
import { mirrorAnnotation } from './pod-annotations.ts';
import { describeChange } from './spec-change.ts';

/** Containers for debugging can be added, and then stay as they are. */
export function checkEphemeralUpdate(
  errors: ErrorList,
  pod: Unchecked<Pod>,
  old: Unchecked<Pod>,
): void {
  if (pod.metadata?.annotations?.[mirrorAnnotation] !== undefined) {
    errors.forbidden(rootPath, '', 'static pods do not support ephemeral containers');
  }
  const now = new Map(
    pod.spec?.ephemeralContainers?.map((container) => [container.name, container]),
  );
  for (const stored of old.spec?.ephemeralContainers ?? []) {
    const container = now.get(stored.name);
    const what = `existing ephemeral containers "${stored.name ?? ''}" may not be`;
    if (container === undefined) {
      errors.forbidden(specPath, 'ephemeralContainers', `${what} removed\n`);
    } else if (!jsonEqual(container, stored)) {
      const detail = `${what} changed\n${describeChange(container, stored)}`;
      errors.forbidden(specPath, 'ephemeralContainers', detail);
    }
  }
}
