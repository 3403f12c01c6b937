import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import { getDocument } from './get-document.ts';
import { readKeySet } from './jws.ts';
import type { IssuerKey } from './jws.ts';

/** An unknown key is asked for at most this often, and a failure is remembered as long. */
const minRefreshMs = 10_000;

export interface IssuerKeysOptions {
  readonly issuer: string;
  /** Where the OpenID configuration is, when not below the issuer. */
  readonly discoveryUrl?: string | undefined;
  /** PEM; the system's authorities when absent. */
  readonly authority?: string | undefined;
  readonly clock: Clock;
}

/** The keys of an issuer, found by OpenID discovery when first needed. */
export interface IssuerKeys {
  /** Keys with this id, or all when the token names none; fetched anew for an unknown id. */
  find(keyId: string | undefined): Promise<readonly IssuerKey[]>;
}

export function createIssuerKeys(options: IssuerKeysOptions): IssuerKeys {
  const { issuer, clock } = options;
  let keys: readonly IssuerKey[] | undefined;
  let jwksUri: string | undefined;
  let lastTryMs = Number.NEGATIVE_INFINITY;
  let lastFailure: Error | undefined;
  let pending: Promise<void> | undefined;

  async function getJson(url: string): Promise<unknown> {
    const { status, body } = await getDocument(url, options);
    if (status !== 200) throw new Error(`${url}: status ${status}`);
    return JSON.parse(body) as unknown;
  }

  async function refresh(): Promise<void> {
    try {
      if (jwksUri === undefined) {
        const url =
          options.discoveryUrl ?? `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
        const found = (await getJson(url)) as { issuer?: string; jwks_uri?: string };
        if (found.issuer !== issuer) {
          throw new Error(
            `oidc: issuer URL provided to client (${JSON.stringify(issuer)}) did not match the issuer URL returned by provider (${JSON.stringify(found.issuer ?? '')})`,
          );
        }
        jwksUri = found.jwks_uri ?? '';
      }
      keys = readKeySet(await getJson(jwksUri));
      lastFailure = undefined;
    } catch (error) {
      lastFailure = error instanceof Error ? error : new Error(messageOf(error));
    } finally {
      lastTryMs = clock.monotonicMs();
      pending = undefined;
    }
  }

  const fitting = (keyId: string | undefined): readonly IssuerKey[] =>
    keys?.filter((key) => keyId === undefined || key.id === undefined || key.id === keyId) ?? [];

  return {
    async find(keyId) {
      const known = fitting(keyId);
      if (known.length > 0) return known;
      if (clock.monotonicMs() - lastTryMs >= minRefreshMs) await (pending ??= refresh());
      else if (pending !== undefined) await pending;
      if (keys === undefined && lastFailure !== undefined) throw lastFailure;
      return fitting(keyId);
    },
  };
}
