import type { CertificateSigningRequest } from '#schema/types.ts';

import { isResource, refuse } from '../match.ts';
import type { AdmissionPlugin } from '../plugin.ts';
import { requestOrganizations } from './request-subject.ts';

/** Nobody becomes a superuser by a certificate request. */
export function createCertificateSubjectRestriction(): AdmissionPlugin {
  return {
    name: 'CertificateSubjectRestriction',
    handles: (attributes) =>
      attributes.operation === 'CREATE' &&
      isResource(attributes, 'certificates.k8s.io', 'certificatesigningrequests'),
    validate(attributes) {
      const { spec } = attributes.object as unknown as CertificateSigningRequest;
      if (spec.signerName !== 'kubernetes.io/kube-apiserver-client') return;
      let organizations: string[];
      try {
        organizations = requestOrganizations(Buffer.from(spec.request, 'base64').toString('utf8'));
      } catch (error) {
        throw refuse(attributes, `failed to parse CSR: ${(error as Error).message}`);
      }
      if (organizations.includes('system:masters')) {
        throw refuse(
          attributes,
          'use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed',
        );
      }
    },
  };
}
