/**
 * Keeps volumes and claims that are in use from going away: the finalizers that admission adds are
 * removed here once nobody uses the object. Start reading at claim-protection.ts.
 */
export { startAttributesClassProtection } from './attributes-class-protection.ts';
export { startClaimProtection } from './claim-protection.ts';
export { startVolumeProtection } from './volume-protection.ts';
