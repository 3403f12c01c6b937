import { resources } from '#client/mod.ts';
import { parseLabelSelector } from '#schema/selectors/mod.ts';
import type { Namespace } from '#schema/types.ts';
import type { ObjectReader } from '../authz/object-reader.ts';
import { isPod, podOf, refuse } from './match.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.ts';

const annotation = 'scheduler.alpha.kubernetes.io/node-selector';

/** Keeps the pods of a namespace on the nodes that an annotation of the namespace selects. */
export function createPodNodeSelector({ reader }: { reader: ObjectReader }): AdmissionPlugin {
  const labelsFor = ({ namespace }: AdmissionAttributes): Record<string, string> => {
    const found = reader.get<Namespace>(resources.namespaces, '', namespace);
    const { requirements } = parseLabelSelector(found?.metadata.annotations?.[annotation] ?? '');
    return Object.fromEntries(requirements.map(({ key, values }) => [key, values[0] ?? '']));
  };
  return {
    name: 'PodNodeSelector',
    handles: (attributes) => isPod(attributes, 'CREATE'),
    mutate(attributes) {
      const { spec } = podOf(attributes);
      const wanted = labelsFor(attributes);
      for (const [key, value] of Object.entries(spec.nodeSelector ?? {})) {
        if (wanted[key] === undefined || wanted[key] === value) continue;
        throw refuse(
          attributes,
          'pod node label selector conflicts with its namespace node label selector',
        );
      }
      if (Object.keys(wanted).length > 0) spec.nodeSelector = { ...wanted, ...spec.nodeSelector };
    },
  };
}
