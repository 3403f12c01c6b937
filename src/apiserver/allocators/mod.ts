/**
 * Addresses and node ports of Services, as hooks of the kind Service: taken before a write, given
 * back when it fails or after what held them is gone. The pools are in memory and follow the stored
 * Services. Start reading at service-allocation.ts.
 */
export { createServiceAllocation } from './service-allocation.ts';
export type { ServiceAllocation, ServiceAllocationOptions } from './service-allocation.ts';
