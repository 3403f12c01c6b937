import type { PathAnswer, PathRoute } from '../path-route.ts';

/**
 * What relying parties need to check service account tokens themselves: the OpenID configuration
 * and the public keys. Empty when the issuer is no https address, as upstream.
 */
export function createIssuerRoutes(options: {
  issuer: string;
  /** --service-account-jwks-uri, or under the server's external address. */
  jwksUri: string;
  keys: readonly { readonly alg?: string | undefined }[];
}): PathRoute[] {
  if (!options.issuer.startsWith('https://')) return [];
  const configuration = {
    issuer: options.issuer,
    jwks_uri: options.jwksUri,
    response_types_supported: ['id_token'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: [
      ...new Set(options.keys.map(({ alg = 'RS256' }) => alg)),
    ].sort(),
  };
  const page = (value: object, type: string): PathAnswer => ({
    status: 200,
    headers: { 'content-type': type, 'cache-control': 'public, max-age=3600' },
    body: Buffer.from(JSON.stringify(value)),
  });
  const pages = [
    ['/.well-known/openid-configuration', page(configuration, 'application/json')],
    ['/openid/v1/jwks', page({ keys: options.keys }, 'application/jwk-set+json')],
  ] as const;
  return pages.map(([path, answer]) => ({
    path,
    takesSlash: true,
    handle: ({ method }) => (method === 'GET' || method === 'HEAD' ? answer : undefined),
  }));
}
