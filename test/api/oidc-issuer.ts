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
  /** Answers this text at the path, to callers with the bearer token. */
  publish(path: string, bearer: string, text: string): void;
  /** From now on signs with a new key. */
  rotate(): Promise<void>;
  close(): Promise<void>;
}

export async function startOidcIssuer(algorithm = 'RS256'): Promise<OidcIssuer> {
  let generation = 0;
  let keys = await generateKeyPair(algorithm);
  const asked: string[] = [];
  const published = new Map<string, { bearer: string; text: string }>();
  const server = await startFakeWebhook(async ({ path, headers }, response) => {
    asked.push(path);
    const found = published.get(path);
    if (found !== undefined) {
      const isKnown = headers.authorization === `Bearer ${found.bearer}`;
      response.writeHead(isKnown ? 200 : 401).end(isKnown ? found.text : '');
      return undefined;
    }
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
    publish(path, bearer, text) {
      published.set(path, { bearer, text });
    },
    async rotate() {
      generation++;
      keys = await generateKeyPair(algorithm);
    },
    close: () => server.close(),
  };
}
