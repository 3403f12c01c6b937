import type { X509Certificate } from 'node:crypto';

import type { Clock } from '#base/clock.ts';

import type { Authenticator } from './authenticator.ts';
import { createClientCertificateAuthenticator } from './client-certificate.ts';
import { unauthorized } from './failures.ts';
import { headerOf, headersWithPrefix, headerValues } from './headers.ts';

export interface FrontProxyOptions {
  readonly clock: Clock;
  /** --requestheader-client-ca-file. */
  readonly authorities: () => readonly X509Certificate[];
  /** --requestheader-allowed-names; empty for any name. */
  readonly allowedNames: readonly string[];
}

/**
 * An aggregator in front: its certificate proves that it is one, X-Remote-User, -Uid, -Group and
 * -Extra-<key> name the user. Header names are upstream's and k3s' defaults.
 */
export function createFrontProxyAuthenticator(options: FrontProxyOptions): Authenticator {
  const certificates = createClientCertificateAuthenticator(options);
  return {
    async authenticate(credentials) {
      const name = headerOf(credentials, 'x-remote-user');
      if (name === '' || credentials.peerCertificate === undefined) return undefined;
      const proxy = await certificates.authenticate(credentials);
      if (proxy === undefined) return undefined;
      if (options.allowedNames.length > 0 && !options.allowedNames.includes(proxy.user.name)) {
        throw unauthorized(`x509: subject with cn=${proxy.user.name} is not in the allowed list`);
      }
      const uid = headerOf(credentials, 'x-remote-uid');
      return {
        user: {
          name,
          uid: uid === '' ? undefined : uid,
          groups: headerValues(credentials.headers['x-remote-group']),
          extra: headersWithPrefix(credentials.headers, 'x-remote-extra-'),
        },
      };
    },
  };
}
