/**
 * Who asks: certificates, tokens, passwords and proxy headers become a UserInfo, and impersonation
 * replaces it. It decides nothing about what the user may do (authz/) and opens no connections.
 * Start reading at union.ts.
 */
export type { Authenticated, Authenticator, Credentials } from './authenticator.ts';
export { readAuthenticationConfiguration } from './config/authentication-configuration.ts';
export type {
  AnonymousPolicy,
  AuthenticationConfiguration,
} from './config/authentication-configuration.ts';
export { issuerOfFlags } from './config/oidc-flags.ts';
export { createJwtAuthenticator } from './oidc/jwt-authenticator.ts';
export type { JwtAuthenticator } from './oidc/jwt-authenticator.ts';
export type { JwtIssuer } from './oidc/jwt-issuer.ts';
export { createTokenUnion, forOwnAudiences, fromRequest } from './token-authenticator.ts';
export type { TokenAuthenticator } from './token-authenticator.ts';
export { createLegacyTokenUse } from './legacy-tokens.ts';
export type { LegacyTokenUse } from './legacy-tokens.ts';
export { parseTokenFile } from './token-file.ts';
export { createWebhookTokenAuthenticator } from './webhook-token.ts';
export { createBootstrapTokenAuthenticator } from './bootstrap-token.ts';
export { parseBundle } from './certificate-chain.ts';
export { createClientCertificateAuthenticator } from './client-certificate.ts';
export { unauthorized } from './failures.ts';
export { createFrontProxyAuthenticator, defaultFrontProxyHeaders } from './front-proxy.ts';
export { impersonatedUser, wantsImpersonation } from './impersonation.ts';
export {
  createPasswordAuthenticator,
  createStaticTokenAuthenticator,
  parsePasswordFile,
} from './passwords.ts';
export type { PasswordUser } from './passwords.ts';
export { createServiceAccountTokenAuthenticator } from './service-account-token.ts';
export type { ServiceAccountTokenAuthenticator, TokenVerifier } from './service-account-token.ts';
export { parseServiceAccountUser, serviceAccountUser } from './service-account-claims.ts';
export { createIssuerRoutes } from './issuer-routes.ts';
export { createTokenRequestHandler } from './token-request.ts';
export type { TokenRequestOptions, TokenSigner } from './token-request.ts';
export { createUnionAuthenticator } from './union.ts';
export type { RequestAuthenticator } from './union.ts';
