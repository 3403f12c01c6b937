/**
 * Binds claims and volumes to each other, and says what is to be provisioned, reclaimed or grown.
 * Volumes are made and removed by provisioners outside, which read the annotations. What suits what
 * is in #schema/volumes. Start reading at persistent-volume-binder.ts, then sync-claim.ts.
 */
export { startClaimExpander } from './claim-expander.ts';
export { startPersistentVolumeBinder } from './persistent-volume-binder.ts';
