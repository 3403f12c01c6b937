import type { Authorizer } from '../../authz/authorizer.ts';
import type { UserInfo } from '../../request.ts';

/** Whether the user has `verb` on this signer, or on all signers of its domain (`domain/*`). */
export async function maySign(
  authorizer: Authorizer,
  user: UserInfo,
  verb: 'approve' | 'sign' | 'attest',
  signerName: string,
): Promise<boolean> {
  const domain = signerName.split('/')[0] ?? '';
  for (const name of [signerName, `${domain}/*`]) {
    const resource = {
      verb,
      group: 'certificates.k8s.io',
      version: '*',
      resource: 'signers',
      subresource: '',
      namespace: '',
      name,
    };
    const { decision } = await authorizer.authorize({ user, resource, path: '', verb });
    if (decision === 'allow') return true;
  }
  return false;
}
