import { formatTime } from '#base/clock.ts';
import { signingRequestProblem } from '#pki/mod.ts';
import type { CertificateSigningRequest } from '#schema/types.ts';
import type { KindHooks } from './kind-hooks.ts';

/** A signing request names who made it, whatever the client wrote. */
export const certificateSigningRequestHooks: KindHooks = {
  /** Nobody asks for a certificate for a key that is not his: the request has to be signed by it. */
  validate(object, old) {
    if (old !== undefined) return [];
    const { request } = (object as unknown as CertificateSigningRequest).spec;
    const pem = Buffer.from(request, 'base64').toString('latin1');
    const body = /-----BEGIN [^-]+-----([^-]+)-----END/.exec(pem)?.[1] ?? '';
    const problem = signingRequestProblem(Buffer.from(body, 'base64'));
    if (problem === undefined) return [];
    const message = `Invalid value: ${JSON.stringify(request)}: ${problem}`;
    return [{ type: 'FieldValueInvalid', field: 'spec.request', message }];
  },
  beforeCreate(object, { context }) {
    const request = object as unknown as CertificateSigningRequest;
    const {
      username: _username,
      uid: _uid,
      groups: _groups,
      extra: _extra,
      ...spec
    } = request.spec;
    const { user } = context;
    request.spec = {
      ...spec,
      username: user.name,
      ...(user.uid === undefined ? {} : { uid: user.uid }),
      groups: [...user.groups],
      ...(user.extra === undefined ? {} : { extra: copyExtra(user.extra) }),
    };
  },
  /** Conditions without times get them; what did not change keeps when it began. */
  beforeUpdate(object, old, { subresource, nowMs }) {
    const { status } = object as unknown as CertificateSigningRequest;
    if (subresource === '' || status?.conditions === undefined) return;
    const stored = (old as unknown as CertificateSigningRequest).status?.conditions ?? [];
    const now = formatTime(nowMs);
    status.conditions = status.conditions.map((condition) => {
      const same = stored.find(
        ({ type, status: was, lastTransitionTime }) =>
          type === condition.type && was === condition.status && lastTransitionTime !== undefined,
      );
      return {
        ...condition,
        lastUpdateTime: condition.lastUpdateTime ?? now,
        lastTransitionTime: condition.lastTransitionTime ?? same?.lastTransitionTime ?? now,
      };
    });
  },
};

function copyExtra(extra: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]]));
}
