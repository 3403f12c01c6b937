import type { CertificateSigningRequest } from '#schema/types.ts';

import type { Authorizer } from '../../authz/authorizer.ts';
import { isResource, refuse } from '../match.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../plugin.ts';
import { sameJson } from '../same-json.ts';
import { maySign } from './signer-permission.ts';

const group = 'certificates.k8s.io';
const resource = 'certificatesigningrequests';

function storedRequest(attributes: AdmissionAttributes): CertificateSigningRequest {
  return attributes.oldObject as unknown as CertificateSigningRequest;
}

/** Approving or denying a request needs the verb approve on its signer. */
export function createCertificateApproval(options: { authorizer: Authorizer }): AdmissionPlugin {
  return {
    name: 'CertificateApproval',
    handles: (attributes) =>
      attributes.operation === 'UPDATE' && isResource(attributes, group, resource, 'approval'),
    async validate(attributes) {
      const signerName = storedRequest(attributes).spec.signerName;
      const { user } = attributes.context;
      if (await maySign(options.authorizer, user, 'approve', signerName)) return;
      throw refuse(
        attributes,
        `user not permitted to approve requests with signerName ${JSON.stringify(signerName)}`,
      );
    },
  };
}

/** Putting a certificate into a request needs the verb sign on its signer. */
export function createCertificateSigning(options: { authorizer: Authorizer }): AdmissionPlugin {
  return {
    name: 'CertificateSigning',
    handles: (attributes) =>
      attributes.operation === 'UPDATE' && isResource(attributes, group, resource, 'status'),
    async validate(attributes) {
      const old = storedRequest(attributes);
      const next = attributes.object as unknown as CertificateSigningRequest;
      const isSame =
        old.status?.certificate === next.status?.certificate &&
        sameJson(old.status?.conditions ?? [], next.status?.conditions ?? []);
      if (isSame) return;
      const { signerName } = old.spec;
      const { user } = attributes.context;
      if (await maySign(options.authorizer, user, 'sign', signerName)) return;
      throw refuse(
        attributes,
        `user not permitted to sign requests with signerName ${JSON.stringify(signerName)}`,
      );
    },
  };
}
