/**
 * The feature gates of Kubernetes 1.36: their stages, their defaults, and which of the features
 * that are on k3ts does not have. Start reading at feature-gates.ts.
 */
export { featureGates } from './feature-gates.ts';
export type { FeatureGate, GateStage } from './feature-gates.ts';
export { checkFeatureGates, featureGateProblem } from './read-feature-gates.ts';
export { renderFeatureGates } from './render-page.ts';
