/**
 * Who owns which field: server-side apply, and managedFields for every other write. Sets of fields
 * are kept in the form in which they are stored (FieldsV1 as an object) and are shared, never
 * changed. Versions of an API are taken to name their fields alike, except by the functions called
 * Across; versions.ts says how these convert.
 * Start reading at fields-v1.ts, then track-update.ts.
 */
export { keptText } from './fields-v1.ts';
export { mergeConfiguration } from './merge-configuration.ts';
export { isSameOwners, managedFieldsProblem } from './owners.ts';
export { serverSideApply, serverSideApplyAcross } from './server-side-apply.ts';
export type { ApplyOptions } from './server-side-apply.ts';
export { trackUpdate, trackUpdateAcross } from './track-update.ts';
export type { TrackOptions } from './track-update.ts';
export type { OtherVersions } from './versions.ts';
