import type { JwtIssuer } from '../oidc/jwt-issuer.ts';
import { ConfigErrors } from '../../config-file/config-errors.ts';
import { readConfigObject } from '../../config-file/config-object.ts';
import { createReading, readJwtIssuer } from './jwt-config.ts';

const maxIssuers = 64;

/** Requests without credentials: for which paths they are let in. */
export interface AnonymousPolicy {
  readonly isEnabled: boolean;
  /** Exact paths; all when empty. */
  readonly paths: readonly string[];
}

/** An AuthenticationConfiguration, checked and compiled. */
export interface AuthenticationConfiguration {
  readonly jwt: readonly JwtIssuer[];
  /** Absent when the flag decides. */
  readonly anonymous?: AnonymousPolicy | undefined;
}

/**
 * Reads --authentication-config. `disallowedIssuers` are those of service accounts. Throws an Error
 * that says all that is wrong, in upstream's words.
 */
export function readAuthenticationConfiguration(
  text: string,
  disallowedIssuers: readonly string[],
): AuthenticationConfiguration {
  const object = readConfigObject(text, 'AuthenticationConfiguration', [
    'v1',
    'v1beta1',
    'v1alpha1',
  ]).only(['apiVersion', 'kind', 'jwt', 'anonymous']);
  const errors = new ConfigErrors();
  const reading = createReading(errors);
  const entries = object.objects('jwt');
  if (entries.length > maxIssuers) errors.tooMany('jwt', entries.length, maxIssuers);
  const jwt = entries.slice(0, maxIssuers).flatMap((entry) => {
    return readJwtIssuer(entry, reading, disallowedIssuers) ?? [];
  });
  for (const [index, { url, discoveryUrl }] of jwt.entries()) {
    const before = jwt.slice(0, index);
    if (before.some((other) => other.url === url)) {
      errors.duplicate(`jwt[${index}].issuer.url`, url);
    }
    if (discoveryUrl !== undefined && before.some((o) => o.discoveryUrl === discoveryUrl)) {
      errors.duplicate(`jwt[${index}].issuer.discoveryURL`, discoveryUrl);
    }
  }
  const anonymous = object.object('anonymous')?.only(['enabled', 'conditions']);
  const isEnabled = anonymous?.boolean('enabled') ?? false;
  const paths = (anonymous?.objects('conditions') ?? []).map((one) => one.text('path'));
  if (!isEnabled && paths.length > 0) {
    errors.invalid(
      'anonymous.conditions',
      paths,
      'enabled should be set to true when conditions are defined',
    );
  }
  errors.check('invalid AuthenticationConfiguration');
  return { jwt, ...(anonymous === undefined ? {} : { anonymous: { isEnabled, paths } }) };
}
