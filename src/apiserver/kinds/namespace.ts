import type { UnknownObject } from '#schema/mod.ts';
import type { Namespace } from '#schema/types.ts';
import type { KindHooks } from './kind-hooks.ts';

const nameLabel = 'kubernetes.io/metadata.name';

/** Namespaces carry their name as a label and stay until their content is gone. */
export const namespaceHooks: KindHooks = {
  beforeCreate: (object) => setNameLabel(object),
  beforeUpdate: (object) => setNameLabel(object),
  beginDelete(object) {
    const namespace = object as unknown as Namespace;
    const isHeld = (namespace.spec?.finalizers?.length ?? 0) > 0;
    if (isHeld) namespace.status = { ...namespace.status, phase: 'Terminating' };
    return isHeld;
  },
};

function setNameLabel(object: UnknownObject): void {
  const { metadata } = object;
  if (metadata.labels?.[nameLabel] === metadata.name) return;
  metadata.labels = { ...metadata.labels, [nameLabel]: metadata.name };
}
