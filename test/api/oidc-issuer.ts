/** An OpenID Connect issuer on loopback that signs whatever it is asked to. */
import { exportJWK, generateKeyPair, SignJWT } from 'jose';
import type { JWTPayload } from 'jose';

import { startFakeWebhook } from '#apiserver/webhook-client/testing/mod.ts';
import { systemClock } from '#base/clock.ts';

export interface OidcIssuer {
  readonly url: string;
  /** PEM. */
  readonly ca: string;
  /** Paths that were asked for. */
  readonly asked: string[];
  /** A token of this issuer for `k3ts`, good for an hour, with these claims. */
  token(claims: JWTPayload): Promise<string>;
  /** From now on signs with a new key. */
  rotate(): Promise<void>;
  close(): Promise<void>;
}

export async function startOidcIssuer(algorithm = 'RS256'): Promise<OidcIssuer> {
  let generation = 0;
  let keys = await generateKeyPair(algorithm);
  const asked: string[] = [];
  const server = await startFakeWebhook(async ({ path }) => {
    asked.push(path);
    if (path === '/keys') {
      const jwk = await exportJWK(keys.publicKey);
      return { keys: [{ ...jwk, kid: `key-${generation}`, use: 'sig', alg: algorithm }] };
    }
    return { issuer: server.url, jwks_uri: `${server.url}/keys` };
  });
  return {
    url: server.url,
    ca: Buffer.from(server.caBundle, 'base64').toString('utf8'),
    asked,
    async token(claims) {
      const nowSeconds = Math.floor(systemClock.now() / 1000);
      const all = { iss: server.url, aud: 'k3ts', exp: nowSeconds + 3600, ...claims };
      return await new SignJWT(all)
        .setProtectedHeader({ alg: algorithm, kid: `key-${generation}` })
        .sign(keys.privateKey);
    },
    async rotate() {
      generation++;
      keys = await generateKeyPair(algorithm);
    },
    close: () => server.close(),
  };
}
