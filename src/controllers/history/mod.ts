/**
 * ControllerRevisions: what the pod template of a StatefulSet or DaemonSet was, so that it can be
 * compared, numbered and brought back. It does not decide which pods have which revision. Start
 * reading at template-patch.ts, then revisions.ts.
 */
export { isSameTemplate, templateOfRevision, templatePatch } from './template-patch.ts';
export {
  byRevision,
  createOrFindRevision,
  deleteRevision,
  nextRevisionNumber,
  withRevisionNumber,
} from './revisions.ts';
export type { CreatedRevision } from './revisions.ts';
