/** Keeps ServiceCIDRs until no address of theirs is in use, and says whether they are ready. */
export { startServiceCidrController } from './service-cidr-controller.ts';
