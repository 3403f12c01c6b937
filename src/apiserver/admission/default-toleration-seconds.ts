import type { Toleration } from '#schema/types.ts';

import { isPod, podOf } from './match.ts';
import type { AdmissionPlugin } from './plugin.ts';

const effect = 'NoExecute';

/** Lets pods stay on a node that is not ready or unreachable for a while: five minutes. */
export function createDefaultTolerationSeconds(
  options: { notReadySeconds?: number; unreachableSeconds?: number } = {},
): AdmissionPlugin {
  const wanted: readonly [string, number][] = [
    ['node.kubernetes.io/not-ready', options.notReadySeconds ?? 300],
    ['node.kubernetes.io/unreachable', options.unreachableSeconds ?? 300],
  ];
  return {
    name: 'DefaultTolerationSeconds',
    handles: (attributes) => isPod(attributes, 'CREATE', 'UPDATE'),
    mutate(attributes) {
      const { spec } = podOf(attributes);
      const own = spec.tolerations ?? [];
      const missing = wanted.filter(([key]) => !own.some((entry) => tolerates(entry, key)));
      if (missing.length === 0) return;
      spec.tolerations = [
        ...own,
        ...missing.map(([key, tolerationSeconds]) => ({
          key,
          operator: 'Exists' as const,
          effect: effect as Toleration['effect'],
          tolerationSeconds,
        })),
      ];
    },
  };
}

function tolerates(toleration: Toleration, key: string): boolean {
  const own = toleration.key ?? '';
  const ownEffect = toleration.effect ?? '';
  return (own === key || own === '') && (ownEffect === effect || ownEffect === '');
}
