/**
 * CustomResourceDefinitions: their names and conditions, what they make the server serve, and the
 * rules that their objects obey. The schemas' own rules live in #schema/structural. Start reading
 * at custom-resources.ts, then defined-kind.ts.
 */
export type { CustomResources, CustomResourcesOptions } from './custom-resources.ts';
export { createCustomResources } from './custom-resources.ts';
