/**
 * Rolls Deployments out through replica sets; pods are the business of the replicaset controller.
 * The numbers of each step are pure functions (rolling-plan.ts, scale-plan.ts,
 * deployment-status.ts). Start reading at deployment-controller.ts, then rollout.ts.
 */
export { startDeploymentController } from './deployment-controller.ts';
