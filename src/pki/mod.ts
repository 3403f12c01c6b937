/**
 * Certificates, keys and tokens: everything that proves who somebody is. Pure functions over PEM
 * text; which files exist and when they are renewed is for server/ and agent/ to say.
 * Start reading at certificate.ts.
 */
export { createAuthority, issueCertificate } from './certificate.ts';
export type { Authority, CertificateRequest, KeyUsagePurpose } from './certificate.ts';
export {
  createSigningRequest,
  publicKeyOfRequest,
  signingRequestProblem,
} from './signing-request.ts';
export { inspectSigningRequest, signSigningRequest } from './sign-request.ts';
export type { RequestFacts } from './sign-request.ts';
export { createEcKey, createRsaKey } from './key.ts';
export { inspectCertificate, inspectCertificates, renewalReason } from './inspect.ts';
export type { CertificateFacts, ChainFacts } from './inspect.ts';
export { caHash, formatJoinToken, parseJoinToken } from './join-token.ts';
export type { JoinToken } from './join-token.ts';
export { hashNodePassword, verifyNodePassword } from './node-password.ts';
export { createServiceAccountTokens } from './service-account-token.ts';
export type { ServiceAccountTokens, TokenClaims } from './service-account-token.ts';
