/**
 * Addresses and node ports of Services, as hooks of the kind Service: taken before a write, given
 * back when it fails or after what held them is gone. Addresses are IPAddress objects, ports a set
 * under one key of the datastore, so that servers which share one never give out the same. Start
 * reading at service-allocation.ts; keep-service-addresses.ts and port-repair.ts mend what differs.
 */
export { keepServiceAddresses } from './keep-service-addresses.ts';
export { createServiceAllocation } from './service-allocation.ts';
export type { ServiceAllocation, ServiceAllocationOptions } from './service-allocation.ts';
