import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import { getDocument } from './get-document.ts';
import { splitJws } from './jws.ts';
import type { Jws } from './jws.ts';
import type { JwtIssuer } from './jwt-issuer.ts';
import { createTokenVerifier } from './token-verifier.ts';
import type { TokenVerifier } from './token-verifier.ts';

type Claims = Jws['claims'];

/** Other issuers of whom keys are kept; the oldest goes when one more comes. */
const maxVerifiers = 64;

/** Claims that are elsewhere: distributed claims of OpenID Connect, for the claim of groups. */
export interface ClaimSources {
  /**
   * The claims, with that of the groups fetched where it was named in `_claim_names` only. The
   * answer is a token, signed by an issuer of its own, for the same audiences. Throws an Error in
   * upstream's words.
   */
  complete(claims: Claims): Promise<Claims>;
}

export function createClaimSources(options: { issuer: JwtIssuer; clock: Clock }): ClaimSources {
  const { issuer, clock } = options;
  const { authority, groups } = issuer;
  const claim = groups === undefined || 'program' in groups ? '' : groups.claim;
  const verifiers = new Map<string, TokenVerifier>();

  function verifierOf(url: string): TokenVerifier {
    let verifier = verifiers.get(url);
    if (verifier === undefined) {
      const { algorithms, audiences } = issuer;
      const rules = { url, authority, algorithms, audiences };
      verifiers.set(url, (verifier = createTokenVerifier({ issuer: rules, clock })));
      const [oldest] = verifiers.keys();
      if (verifiers.size > maxVerifiers && oldest !== undefined) verifiers.delete(oldest);
    }
    return verifier;
  }

  async function fetchClaim({ url, accessToken }: Endpoint): Promise<unknown> {
    const text = await telling(`while getting distributed claim ${JSON.stringify(claim)}`, () =>
      getToken(url, { authority, clock, accessToken }),
    );
    const jws = splitJws(text);
    if (jws === undefined) {
      throw new Error(
        `getting untrusted issuer from endpoint ${url} failed for claim ${JSON.stringify(claim)}: malformed token`,
      );
    }
    const verify = verifierOf(String(jws.claims['iss'] ?? ''));
    await telling('verify distributed claim token', () => verify(jws));
    if (Object.hasOwn(jws.claims, claim)) return jws.claims[claim];
    throw new Error(
      `jwt returned by distributed claim endpoint ${JSON.stringify(url)} did not contain claim: ${claim}`,
    );
  }

  return {
    async complete(claims) {
      if (claim === '' || Object.hasOwn(claims, claim) || !Object.hasOwn(claims, '_claim_names')) {
        return claims;
      }
      return await telling('oidc: could not expand distributed claims', async () => {
        const endpoint = endpointOf(claims, claim);
        return endpoint === undefined ? claims : { ...claims, [claim]: await fetchClaim(endpoint) };
      });
    },
  };
}

interface Endpoint {
  readonly url: string;
  readonly accessToken: string;
}

/** Undefined when the claim is not named, or comes with the token itself (aggregated claims). */
function endpointOf(claims: Claims, claim: string): Endpoint | undefined {
  const names = claims['_claim_names'];
  if (!isObject(names) || !Object.values(names).every((name) => typeof name === 'string')) {
    throw new Error('oidc: error parsing distributed claim names: json: cannot unmarshal');
  }
  const sources = claims['_claim_sources'];
  if (sources === undefined) throw new Error('oidc: no claim sources');
  if (!isObject(sources) || !Object.values(sources).every(isObject)) {
    throw new Error('oidc: could not parse claim sources: json: cannot unmarshal');
  }
  const name = names[claim];
  if (name === undefined) return undefined;
  const source = sources[String(name)];
  if (!isObject(source)) {
    throw new Error(
      `id token _claim_names contained a source ${String(name)} missing in _claims_sources`,
    );
  }
  const { endpoint, access_token: accessToken } = source;
  if (typeof endpoint !== 'string' || endpoint === '') return undefined;
  return { url: endpoint, accessToken: typeof accessToken === 'string' ? accessToken : '' };
}

async function getToken(url: string, options: Parameters<typeof getDocument>[1]): Promise<string> {
  const { status, body } = await getDocument(url, options);
  if (status >= 200 && status <= 226) return body;
  throw new Error(`error while getting distributed claim JWT: ${status}`);
}

async function telling<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw new Error(`${what}: ${messageOf(error)}`, { cause: error });
  }
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
