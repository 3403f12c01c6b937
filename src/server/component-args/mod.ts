/**
 * The flags of upstream's components that `--kube-scheduler-arg`, `--kube-controller-manager-arg`
 * and, with a table of its own, `--kube-apiserver-arg` take: for each whether it acts, is ignored or
 * refused. Start reading at read-args.ts, then scheduler-args.ts.
 */
export { readSchedulerArgs, schedulerArgTable } from './scheduler-args.ts';
export type { SchedulerArgs } from './scheduler-args.ts';
export { controllerManagerArgTable, readControllerManagerArgs } from './controller-args.ts';
export type { ControllerManagerArgs } from './controller-args.ts';
export { renderArgsPage } from './render-page.ts';
