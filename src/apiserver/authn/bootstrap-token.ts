import type { Clock } from '#base/clock.ts';
import { resources } from '#client/mod.ts';
import type { Secret } from '#schema/types.ts';

import type { ObjectReader } from '../authz/object-reader.ts';
import type { Authenticator } from './authenticator.ts';
import { unauthorized } from './failures.ts';
import { bearerToken } from './headers.ts';
import { sameSecret } from './passwords.ts';

const tokenForm = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const groupForm = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;
const secretType = 'bootstrap.kubernetes.io/token';

/**
 * Bootstrap tokens `<id>.<secret>`, kept in Secrets kube-system/bootstrap-token-<id>. A text of
 * another form is left to the next authenticator; so is a token without a Secret.
 */
export function createBootstrapTokenAuthenticator(options: {
  clock: Clock;
  reader: ObjectReader;
}): Authenticator {
  return {
    async authenticate(credentials) {
      const match = tokenForm.exec(bearerToken(credentials) ?? '');
      if (match === null) return undefined;
      const [, id = '', secretText = ''] = match;
      const secret = options.reader.get<Secret>(
        resources.secrets,
        'kube-system',
        `bootstrap-token-${id}`,
      );
      if (secret === undefined) return undefined;
      const why = refusal(secret, id, secretText, options.clock.now());
      if (why !== undefined) throw unauthorized(why);
      const extraGroups = dataOf(secret, 'auth-extra-groups')
        .split(',')
        .filter((group) => group !== '');
      if (!extraGroups.every((group) => groupForm.test(group))) {
        throw unauthorized('bootstrap token has a group of a wrong form');
      }
      const groups = new Set([...extraGroups, 'system:bootstrappers']);
      return { user: { name: `system:bootstrap:${id}`, groups: [...groups].sort() } };
    },
  };
}

function refusal(secret: Secret, id: string, text: string, nowMs: number): string | undefined {
  if (secret.metadata.deletionTimestamp !== undefined) return 'bootstrap token is being deleted';
  if (secret.type !== secretType) return 'secret is no bootstrap token';
  if (!sameSecret(dataOf(secret, 'token-secret'), text)) return 'bootstrap token secret differs';
  if (dataOf(secret, 'token-id') !== id) return 'bootstrap token id differs';
  const expiration = dataOf(secret, 'expiration');
  if (expiration !== '' && !(Date.parse(expiration) > nowMs)) return 'bootstrap token has expired';
  if (dataOf(secret, 'usage-bootstrap-authentication') !== 'true') {
    return 'bootstrap token is not for authentication';
  }
  return undefined;
}

function dataOf(secret: Secret, key: string): string {
  const value = secret.data?.[key];
  return value === undefined ? '' : Buffer.from(value, 'base64').toString('utf8');
}
