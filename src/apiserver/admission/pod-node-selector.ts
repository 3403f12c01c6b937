import { resources } from '#client/mod.ts';
import { parseLabelSelector } from '#schema/selectors/mod.ts';
import type { Namespace } from '#schema/types.ts';
import type { ObjectReader } from '../authz/object-reader.ts';
import { isPod, podOf, refuse } from './match.ts';
import type { AdmissionAttributes, AdmissionPlugin } from './plugin.ts';

const annotation = 'scheduler.alpha.kubernetes.io/node-selector';
const clusterKey = 'clusterDefaultNodeSelector';

/**
 * `podNodeSelectorPluginConfig` of the configuration file: for each namespace the only labels that
 * its pods may select, and under `clusterDefaultNodeSelector` what namespaces without the
 * annotation select.
 */
export type NodeSelectorConfig = Readonly<Record<string, string>>;

/** Keeps the pods of a namespace on the nodes that an annotation of the namespace selects. */
export function createPodNodeSelector(options: {
  reader: ObjectReader;
  nodeSelectors?: NodeSelectorConfig | undefined;
}): AdmissionPlugin {
  const { reader, nodeSelectors = {} } = options;
  const wantedFor = ({ namespace }: AdmissionAttributes): Record<string, string> => {
    const found = reader.get<Namespace>(resources.namespaces, '', namespace);
    return labelsOf(found?.metadata.annotations?.[annotation] ?? nodeSelectors[clusterKey]);
  };
  const check = (attributes: AdmissionAttributes): void => {
    const allowed = labelsOf(nodeSelectors[attributes.namespace]);
    if (Object.keys(allowed).length === 0) return;
    const own = Object.entries(podOf(attributes).spec.nodeSelector ?? {});
    if (own.every(([key, value]) => allowed[key] === value)) return;
    throw refuse(
      attributes,
      'pod node label selector labels conflict with its namespace whitelist',
    );
  };
  return {
    name: 'PodNodeSelector',
    handles: (attributes) => isPod(attributes, 'CREATE'),
    mutate(attributes) {
      const { spec } = podOf(attributes);
      const wanted = wantedFor(attributes);
      for (const [key, value] of Object.entries(spec.nodeSelector ?? {})) {
        if (wanted[key] === undefined || wanted[key] === value) continue;
        throw refuse(
          attributes,
          'pod node label selector conflicts with its namespace node label selector',
        );
      }
      if (Object.keys(wanted).length > 0) spec.nodeSelector = { ...wanted, ...spec.nodeSelector };
      check(attributes);
    },
    validate: check,
  };
}

function labelsOf(selector: string | undefined): Record<string, string> {
  const { requirements } = parseLabelSelector(selector ?? '');
  return Object.fromEntries(requirements.map(({ key, values }) => [key, values[0] ?? '']));
}
