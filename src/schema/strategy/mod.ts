/**
 * What the API server sets, keeps and takes away when an object is written, before it is
 * validated: fields that a subresource must not touch, generation, system metadata. It needs no
 * clock, names nobody and checks nothing. Start reading at kind-rules.ts, then prepare-update.ts.
 */
export { prepareForCreate } from './prepare-create.ts';
export { prepareForUpdate } from './prepare-update.ts';
export { resetFieldsOf } from './kind-rules.ts';
