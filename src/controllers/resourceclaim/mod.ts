/**
 * Makes ResourceClaims of the templates that pods name, and takes back claims and reservations of
 * pods that are over. Devices are allocated by a scheduler, not here. Start reading at
 * resource-claim-controller.ts.
 */
export { startResourceClaimController } from './resource-claim-controller.ts';
