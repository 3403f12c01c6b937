/** Fills the rules of ClusterRoles that are the sum of others. */
export { startClusterRoleAggregation } from './cluster-role-aggregation.ts';
