import type { MetricRegistry } from '#base/metrics.ts';
import { featureGates } from '#schema/feature-gates/mod.ts';

/** Which features are on, one line a gate; made up when somebody reads, as it never changes. */
export function addFeatureMetrics(registry: MetricRegistry): void {
  const enabled = registry.gauge({
    name: 'kubernetes_feature_enabled',
    help: 'Whether a feature is on, by its gate.',
    stability: 'BETA',
    labels: ['name', 'stage'],
  });
  let isTold = false;
  registry.onCollect(() => {
    if (isTold) return;
    isTold = true;
    for (const { name, stage, isOn, notBuilt } of featureGates().values()) {
      const shownStage = stage === 'GA' ? '' : stage;
      enabled.with(name, shownStage).value = isOn && notBuilt === undefined ? 1 : 0;
    }
  });
}
