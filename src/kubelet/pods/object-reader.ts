import type { Clock } from '#base/clock.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { GroupVersionResource, KubeObject } from '#schema/mod.ts';
import type { ConfigMap, Secret } from '#schema/types.ts';
import type { ObjectReader } from '../containers/environment.ts';

/** Containers of a pod, and pods of a Deployment, ask for the same object within moments. */
const freshMs = 1_000;
const maxEntries = 512;

/** Reads ConfigMaps and Secrets; an answer is good for a second, equal questions share a request. */
export function createObjectReader(options: { client: Client; clock: Clock }): ObjectReader {
  const { client, clock } = options;
  const answers = new Map<string, { answer: Promise<KubeObject>; atMs: number }>();

  const read = <T extends KubeObject>(
    resource: GroupVersionResource,
    namespace: string,
    name: string,
  ): Promise<T> => {
    const key = `${resource.resource}/${namespace}/${name}`;
    const known = answers.get(key);
    if (known !== undefined && clock.monotonicMs() - known.atMs < freshMs) {
      return known.answer as Promise<T>;
    }
    const answer = client.get<T>(resource, name, { namespace });
    answers.delete(key);
    answers.set(key, { answer, atMs: clock.monotonicMs() });
    if (answers.size > maxEntries) answers.delete(answers.keys().next().value ?? '');
    answer.catch(() => answers.delete(key));
    return answer;
  };
  return {
    configMap: (namespace, name) => read<ConfigMap>(resources.configMaps, namespace, name),
    secret: (namespace, name) => read<Secret>(resources.secrets, namespace, name),
  };
}
