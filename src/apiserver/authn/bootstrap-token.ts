import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import { resources } from '#client/mod.ts';
import type { Secret } from '#schema/types.ts';

import type { ObjectReader } from '../authz/object-reader.ts';
import type { Authenticator } from './authenticator.ts';
import { bearerToken } from './headers.ts';
import { sameSecret } from './passwords.ts';

const tokenForm = /^([a-z0-9]{6})\.([a-z0-9]{16})$/;
const groupForm = /^system:bootstrappers:[a-z0-9:-]{0,255}[a-z0-9]$/;
const secretType = 'bootstrap.kubernetes.io/token';

/**
 * Bootstrap tokens `<id>.<secret>`, kept in Secrets kube-system/bootstrap-token-<id>. A text of
 * another form is left to the next authenticator; so is a token without a Secret, and one that its
 * Secret does not let in: as upstream, only the log says why.
 */
export function createBootstrapTokenAuthenticator(options: {
  clock: Clock;
  reader: ObjectReader;
  log: Logger;
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
      const extraGroups = groupsOf(secret);
      const why = refusal(secret, id, secretText, options.clock.now()) ?? groupRefusal(extraGroups);
      if (why !== undefined) {
        options.log.debug('bootstrap token refused', { secret: secret.metadata.name, why });
        return undefined;
      }
      const groups = new Set([...extraGroups, 'system:bootstrappers']);
      return { user: { name: `system:bootstrap:${id}`, groups: [...groups].sort() } };
    },
  };
}

function refusal(secret: Secret, id: string, text: string, nowMs: number): string | undefined {
  if (secret.metadata.deletionTimestamp !== undefined) return 'it is being deleted';
  if (secret.type !== secretType) return 'the secret is no bootstrap token';
  if (!sameSecret(dataOf(secret, 'token-secret'), text)) return 'token-secret differs';
  if (dataOf(secret, 'token-id') !== id) return 'token-id differs';
  const expiration = dataOf(secret, 'expiration');
  if (expiration !== '' && !(Date.parse(expiration) > nowMs)) return 'it has expired';
  if (dataOf(secret, 'usage-bootstrap-authentication') !== 'true') {
    return 'usage-bootstrap-authentication is not true';
  }
  return undefined;
}

function groupsOf(secret: Secret): readonly string[] {
  const text = dataOf(secret, 'auth-extra-groups');
  return text === '' ? [] : text.split(',');
}

function groupRefusal(groups: readonly string[]): string | undefined {
  const wrong = groups.find((group) => !groupForm.test(group));
  return wrong === undefined ? undefined : `auth-extra-groups has a wrong one: ${wrong}`;
}

function dataOf(secret: Secret, key: string): string {
  const value = secret.data?.[key];
  return value === undefined ? '' : Buffer.from(value, 'base64').toString('utf8');
}
