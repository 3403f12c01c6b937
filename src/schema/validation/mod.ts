/**
 * What makes an object invalid (422), in upstream's order and words. Decoding errors, version
 * conflicts and what needs other objects (quota, allocated addresses) are not checked here, nor are
 * the schemas of custom resources. Start reading at kind-rules.ts, then kinds.ts and validate.ts.
 */
export { renderValue } from './bad-value.ts';
export { mandatoryFlowSchemas, mandatoryPriorityLevels } from './flowcontrol/mandatory-specs.ts';
export { structureErrors } from './extension/definition-structure.ts';
export { dns1123SubdomainErrors } from './formats/names.ts';
export { annotationErrors, labelErrors } from './meta-maps.ts';
export { validateCreate, validateUpdate } from './validate.ts';
