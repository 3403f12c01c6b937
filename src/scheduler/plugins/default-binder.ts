import { messageOf } from '#base/errors.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { Binding } from '#schema/types.ts';
import type { Plugin } from '../framework/plugin.ts';
import { failed } from '../framework/status.ts';

/** Binds through the API: POST pods/{name}/binding, guarded by the pod's uid. */
export function createDefaultBinder(client: Client): Plugin {
  return {
    name: 'DefaultBinder',
    async bind(_state, { pod }, nodeName) {
      const { name, namespace, uid } = pod.metadata;
      const binding: Binding = {
        apiVersion: 'v1',
        kind: 'Binding',
        metadata: { name, namespace, uid },
        target: { kind: 'Node', name: nodeName },
      };
      try {
        await client.create(resources.pods, binding, { name, namespace, subresource: 'binding' });
        return undefined;
      } catch (error) {
        return failed(messageOf(error));
      }
    },
  };
}
