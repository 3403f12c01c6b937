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
  /** Upstream's and k3s' names when absent. */
  readonly headers?: FrontProxyHeaders | undefined;
}

/** Names of headers; of several the first that has a value counts, groups and extra add up. */
export interface FrontProxyHeaders {
  readonly user: readonly string[];
  readonly uid: readonly string[];
  readonly group: readonly string[];
  readonly extraPrefix: readonly string[];
}

/** --requestheader-username-headers and its like as k3s sets them. */
export const defaultFrontProxyHeaders: FrontProxyHeaders = {
  user: ['X-Remote-User'],
  uid: ['X-Remote-Uid'],
  group: ['X-Remote-Group'],
  extraPrefix: ['X-Remote-Extra-'],
};

/**
 * An aggregator in front: its certificate proves that it is one, headers name the user.
 */
export function createFrontProxyAuthenticator(options: FrontProxyOptions): Authenticator {
  const certificates = createClientCertificateAuthenticator(options);
  const names = lowerCase(options.headers ?? defaultFrontProxyHeaders);
  return {
    async authenticate(credentials) {
      const first = (of: readonly string[]): string =>
        of.map((header) => headerOf(credentials, header)).find((value) => value !== '') ?? '';
      const name = first(names.user);
      if (name === '' || credentials.peerCertificate === undefined) return undefined;
      const proxy = await certificates.authenticate(credentials);
      if (proxy === undefined) return undefined;
      if (options.allowedNames.length > 0 && !options.allowedNames.includes(proxy.user.name)) {
        throw unauthorized(`x509: subject with cn=${proxy.user.name} is not in the allowed list`);
      }
      const uid = first(names.uid);
      return {
        user: {
          name,
          uid: uid === '' ? undefined : uid,
          groups: names.group.flatMap((header) => headerValues(credentials.headers[header])),
          extra: Object.assign(
            {},
            ...names.extraPrefix.map((prefix) => headersWithPrefix(credentials.headers, prefix)),
          ) as Record<string, string[]>,
        },
      };
    },
  };
}

function lowerCase(of: FrontProxyHeaders): FrontProxyHeaders {
  const lower = (names: readonly string[]): string[] => names.map((name) => name.toLowerCase());
  return {
    user: lower(of.user),
    uid: lower(of.uid),
    group: lower(of.group),
    extraPrefix: lower(of.extraPrefix),
  };
}
