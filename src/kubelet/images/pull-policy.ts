import { repositoryOf } from './image-name.ts';

export type VerificationPolicy =
  | 'NeverVerify'
  | 'NeverVerifyPreloadedImages'
  | 'NeverVerifyAllowlistedImages'
  | 'AlwaysVerify';

export const verificationPolicies: readonly VerificationPolicy[] = [
  'NeverVerify',
  'NeverVerifyPreloadedImages',
  'NeverVerifyAllowlistedImages',
  'AlwaysVerify',
];

/**
 * Whether a pod must show credentials for an image that is on the node already. Images that the
 * kubelet did not pull are preloaded.
 */
export function needsVerification(
  image: string,
  isPulledByKubelet: boolean,
  options: { policy: VerificationPolicy; allowlist: readonly string[] },
): boolean {
  switch (options.policy) {
    case 'NeverVerify':
      return false;
    case 'AlwaysVerify':
      return true;
    case 'NeverVerifyPreloadedImages':
      return isPulledByKubelet;
    case 'NeverVerifyAllowlistedImages':
      return isPulledByKubelet || !isAllowed(image, options.allowlist);
  }
}

/** Entries are repositories without tag; one that ends in a slash and a star has all below it. */
function isAllowed(image: string, allowlist: readonly string[]): boolean {
  const repository = repositoryOf(image);
  return allowlist.some((entry) =>
    entry.endsWith('/*') ? repository.startsWith(entry.slice(0, -1)) : repository === entry,
  );
}
