import { NumberMetric } from '#base/metrics.ts';
import type { Pod } from '#schema/types.ts';
import { namespaceOf, uidOf } from '../pods/names.ts';
import type { ProbeKind, ProbeResult } from './results.ts';

/** How often a probe had each result; goes with its container. */
export interface ProbeCounts {
  readonly pod: Pod;
  readonly container: string;
  readonly kind: ProbeKind;
  readonly results: Map<ProbeResult, number>;
}

const kindNames: Readonly<Record<ProbeKind, string>> = {
  liveness: 'Liveness',
  readiness: 'Readiness',
  startup: 'Startup',
};
const resultNames: Readonly<Record<ProbeResult, string>> = {
  Success: 'successful',
  Failure: 'failed',
  Unknown: 'unknown',
};

/** The text of /metrics/probes. */
export function probeMetricsText(counts: Iterable<ProbeCounts>): string {
  const name = 'prober_probe_total';
  const help =
    'Cumulative number of a liveness, readiness or startup probe for a container by result.';
  const total = new NumberMetric('counter', {
    name,
    help,
    stability: 'BETA',
    labels: ['container', 'namespace', 'pod', 'pod_uid', 'probe_type', 'result'],
  });
  for (const { pod, container, kind, results } of counts) {
    const labels = [container, namespaceOf(pod), pod.metadata.name, uidOf(pod), kindNames[kind]];
    for (const [result, count] of results) {
      total.with(...labels, resultNames[result]).value = count;
    }
  }
  const lines: string[] = [];
  total.print(lines);
  if (lines.length === 0) return '';
  return `# HELP ${name} [BETA] ${help}\n# TYPE ${name} counter\n${lines.join('\n')}\n`;
}
