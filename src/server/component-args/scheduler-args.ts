import { acts, notNegative, portOrNone, refused } from './argument.ts';
import { readComponentArgs } from './read-args.ts';
import type { ComponentArgs } from './read-args.ts';
import { processArgs } from './process-args.ts';

/** Every flag of kube-scheduler that `--kube-scheduler-arg` may name. */
export const schedulerArgTable = {
  ...processArgs,
  config: acts('text', ''),
  'secure-port': acts('integer', '10259', portOrNone),
  'pod-max-in-unschedulable-pods-duration': acts('duration', '5m0s', notNegative),
  'write-config-to': refused('text', 'docs/internals/scheduler.md shows the defaults'),
} as const;

export type SchedulerArgs = ComponentArgs<typeof schedulerArgTable>;

/** Reads the values of `--kube-scheduler-arg`; see readComponentArgs. */
export function readSchedulerArgs(texts: readonly string[] = []): SchedulerArgs {
  return readComponentArgs('kube-scheduler', schedulerArgTable, texts);
}
