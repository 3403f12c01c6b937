import type { CertificateSigningRequest } from '#schema/types.ts';
import type { KindHooks } from './kind-hooks.ts';

/** A signing request names who made it, whatever the client wrote. */
export const certificateSigningRequestHooks: KindHooks = {
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
};

function copyExtra(extra: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(extra).map(([key, values]) => [key, [...values]]));
}
