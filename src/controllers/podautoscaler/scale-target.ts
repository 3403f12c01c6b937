import { hasReason } from '#base/api-status-error.ts';
import { K3tsError } from '#base/errors.ts';
import type { Client } from '#client/mod.ts';
import { parseGroupVersion } from '#schema/mod.ts';
import type { ResourceInfo } from '#schema/mod.ts';
import type { Scale, V2CrossVersionObjectReference } from '#schema/types.ts';

const maxTries = 4;

/** A scalable object's size, and how to change it. */
export interface ScaleTarget {
  readonly scale: Scale;
  resize(replicas: number): Promise<void>;
}

/** The resource of a kind, in the version that is asked for or in any other; upstream's text. */
export function resourceOfKind(
  resources: readonly ResourceInfo[],
  { apiVersion = '', kind }: V2CrossVersionObjectReference,
): ResourceInfo {
  const { group, version } = parseGroupVersion(apiVersion);
  const found = resources.filter((info) => info.group === group && info.kind === kind);
  const exact = found.find((info) => info.version === version) ?? found[0];
  if (exact !== undefined) return exact;
  throw new K3tsError(
    'NoKind',
    `no matches for kind ${JSON.stringify(kind)} in group ${JSON.stringify(group)}`,
  );
}

/** Reads the scale subresource of any kind that has one, custom ones included. */
export async function readScaleTarget(
  client: Client,
  resources: readonly ResourceInfo[],
  namespace: string,
  reference: V2CrossVersionObjectReference,
): Promise<ScaleTarget> {
  const resource = resourceOfKind(resources, reference);
  if (!resource.subresources.some(({ name }) => name === 'scale')) {
    throw new K3tsError('NoScale', 'the server could not find the requested resource');
  }
  const options = { namespace, subresource: 'scale' };
  const read = (): Promise<Scale> => client.get<Scale>(resource, reference.name, options);
  const scale = await read();
  return {
    scale,
    async resize(replicas) {
      let latest = scale;
      for (let tries = 1; ; tries += 1) {
        try {
          const next = { ...latest, spec: { ...latest.spec, replicas } };
          await client.update<Scale>(resource, next, options);
          return;
        } catch (error) {
          if (!hasReason(error, 'Conflict') || tries === maxTries) throw error;
          latest = await read();
          // A status in between is no reason to wait; another size is one to compute anew.
          if (latest.spec?.replicas !== scale.spec?.replicas) throw error;
        }
      }
    },
  };
}
