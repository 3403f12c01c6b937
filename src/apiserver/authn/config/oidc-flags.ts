import type { ClaimRule, JwtIssuer } from '../oidc/jwt-issuer.ts';
import { signatureAlgorithms } from '../oidc/jws.ts';
import { ConfigErrors } from '../../config-file/config-errors.ts';
import { checkUrl } from './jwt-config.ts';

/** Values of the --oidc-* flags; empty when not given. */
export interface OidcFlags {
  readonly issuerUrl: string;
  readonly clientId: string;
  /** PEM text of --oidc-ca-file. */
  readonly authority: string | undefined;
  readonly usernameClaim: string;
  /** Undefined when not given: then the issuer is put before every claim but email. */
  readonly usernamePrefix: string | undefined;
  readonly groupsClaim: string;
  readonly groupsPrefix: string;
  /** `key=value` texts. */
  readonly requiredClaims: readonly string[];
  readonly signingAlgorithms: readonly string[];
}

/** The one issuer of the flags; undefined without one. Throws an Error for a wrong value. */
export function issuerOfFlags(
  flags: OidcFlags,
  disallowedIssuers: readonly string[],
): JwtIssuer | undefined {
  const { issuerUrl, clientId, usernameClaim, usernamePrefix, groupsClaim } = flags;
  if ((issuerUrl === '') !== (clientId === '')) {
    throw new Error(
      'oidc-issuer-url and oidc-client-id must be specified together when any oidc-* flags are set',
    );
  }
  if (issuerUrl === '') return undefined;
  const errors = new ConfigErrors();
  checkUrl(issuerUrl, 'jwt[0].issuer.url', errors, disallowedIssuers);
  errors.check('oidc-issuer-url');
  const unknown = flags.signingAlgorithms.find((one) => !signatureAlgorithms.has(one));
  if (unknown !== undefined) {
    throw new Error(`oidc: unsupported signing alg: ${JSON.stringify(unknown)}`);
  }
  const claimRules = flags.requiredClaims.map((text): ClaimRule => {
    const equals = text.indexOf('=');
    if (equals < 1)
      throw new Error(`oidc-required-claim: malformed pair, expect string=string: ${text}`);
    return { claim: text.slice(0, equals).trim(), requiredValue: text.slice(equals + 1).trim() };
  });
  const defaultPrefix = usernameClaim === 'email' ? '' : `${issuerUrl}#`;
  const prefix = usernamePrefix ?? '';
  return {
    url: issuerUrl,
    authority: flags.authority,
    audiences: [clientId],
    algorithms: flags.signingAlgorithms,
    username: {
      claim: usernameClaim,
      prefix: prefix === '-' ? '' : prefix === '' ? defaultPrefix : prefix,
    },
    groups: groupsClaim === '' ? undefined : { claim: groupsClaim, prefix: flags.groupsPrefix },
    extra: [],
    claimRules,
    userRules: [],
  };
}
