import type { Job } from '#schema/types.ts';
import type { KindHooks } from './kind-hooks.ts';

/** A job picks its pods by its own uid, unless the user brings a selector. */
export const jobHooks: KindHooks = {
  beforeCreate(object) {
    const job = object as unknown as Job;
    const { spec, metadata } = job;
    if (spec === undefined || spec.manualSelector === true) return;
    const template = spec.template;
    const name = metadata.name;
    const uid = metadata.uid ?? '';
    // what the user set stays, and validation refuses what contradicts the generated selector
    const labels = {
      'batch.kubernetes.io/controller-uid': uid,
      'batch.kubernetes.io/job-name': name,
      'controller-uid': uid,
      'job-name': name,
      ...template.metadata?.labels,
    };
    template.metadata = { ...template.metadata, labels };
    // as defaults have it, which upstream sees again when it reads what it stored
    if (Object.keys(metadata.labels ?? {}).length === 0) metadata.labels = { ...labels };
    const matchLabels = {
      'batch.kubernetes.io/controller-uid': uid,
      ...spec.selector?.matchLabels,
    };
    spec.selector = { ...spec.selector, matchLabels };
  },
};
