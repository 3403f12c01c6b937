import { ApiStatusError, hasReason } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import { controllerReference, resources } from '#client/mod.ts';
import type { Client, EventRecorder } from '#client/mod.ts';
import type { KubeObject } from '#schema/mod.ts';
import type { Pod, PodTemplateSpec } from '#schema/types.ts';

/** The namespace goes away: nothing can be made in it, and nobody needs to be told. */
export function isNamespaceTerminating(error: unknown): boolean {
  return (
    error instanceof ApiStatusError &&
    error.details?.causes?.some((cause) => cause.reason === 'NamespaceTerminating') === true
  );
}

/**
 * A pod as the template of a controller says, with a generated name and the controller as owner.
 */
export function podFromTemplate(template: PodTemplateSpec, owner: KubeObject): Pod {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  const { name, namespace } = owner.metadata;
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: '',
      generateName: `${name}-`,
      namespace,
      ownerReferences: [controllerReference(owner)],
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
      ...(finalizers === undefined ? {} : { finalizers }),
    },
    ...(template.spec === undefined ? {} : { spec: template.spec }),
  };
}

/** Creates and deletes pods for a controller and tells so in events about their owner. */
export interface PodControl {
  create(pod: Pod, owner: KubeObject): Promise<Pod>;
  /** A pod that is gone already is fine. */
  delete(pod: Pod, owner: KubeObject): Promise<void>;
}

export function createPodControl(client: Client, events: EventRecorder): PodControl {
  return {
    async create(pod, owner) {
      const { namespace } = owner.metadata;
      try {
        const created = await client.create<Pod>(resources.pods, pod, { namespace });
        const text = `Created pod: ${created.metadata.name}`;
        events.event(owner, 'Normal', 'SuccessfulCreate', text);
        return created;
      } catch (error) {
        if (!isNamespaceTerminating(error)) {
          const text = `Error creating: ${messageOf(error)}`;
          events.event(owner, 'Warning', 'FailedCreate', text);
        }
        throw error;
      }
    },
    async delete(pod, owner) {
      const { namespace, name, uid } = pod.metadata;
      try {
        await client.delete(resources.pods, name, { namespace, preconditions: { uid } });
        events.event(owner, 'Normal', 'SuccessfulDelete', `Deleted pod: ${name}`);
      } catch (error) {
        if (hasReason(error, 'NotFound') || hasReason(error, 'Conflict')) return;
        const text = `Error deleting: ${messageOf(error)}`;
        events.event(owner, 'Warning', 'FailedDelete', text);
        throw error;
      }
    },
  };
}
