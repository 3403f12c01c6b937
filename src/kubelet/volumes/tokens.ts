import { formatTime } from '#base/clock.ts';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { resources, type Client } from '#client/mod.ts';
import type { AuthenticationV1TokenRequest, Pod } from '#schema/types.ts';
import { namespaceOf, specOf, uidOf } from '../pods/names.ts';
import { VolumeError } from './volume-error.ts';

export interface TokenSpec {
  readonly audience: string;
  readonly expirationSeconds: number | undefined;
}

/** Service account tokens bound to pods, requested anew before they end. */
export interface TokenSource {
  /** A token with enough life left; the old one while the API cannot be reached. */
  token(pod: Pod, spec: TokenSpec, signal: AbortSignal): Promise<string>;
  /** The same with its end, as CSI drivers get it. */
  tokenWithEnd(
    pod: Pod,
    spec: TokenSpec,
    signal: AbortSignal,
  ): Promise<{ token: string; expirationTimestamp: string }>;
  /** Forgets the tokens of a pod. */
  forget(podUid: string): void;
}

interface Held {
  readonly token: string;
  readonly issuedMs: number;
  readonly expiresMs: number;
}

/** Tokens are renewed when this share of their life is over, or when they are a day old. */
const renewAtShare = 0.8;
const maxAgeMs = 24 * 3_600_000;

export function createTokenSource(options: {
  client: Client;
  clock: Clock;
  log: Logger;
}): TokenSource {
  const { client, clock, log } = options;
  const held = new Map<string, Map<string, Held>>();

  const isDue = ({ issuedMs, expiresMs }: Held): boolean => {
    const now = clock.now();
    const renewMs = issuedMs + (expiresMs - issuedMs) * renewAtShare;
    return now >= renewMs || now - issuedMs >= maxAgeMs;
  };

  const request = async (pod: Pod, spec: TokenSpec, signal: AbortSignal): Promise<Held> => {
    const name = specOf(pod).serviceAccountName ?? 'default';
    const answer = await client.create<AuthenticationV1TokenRequest>(
      resources.serviceAccounts,
      {
        apiVersion: 'authentication.k8s.io/v1',
        kind: 'TokenRequest',
        metadata: { name },
        spec: {
          ...(spec.audience === '' ? {} : { audiences: [spec.audience] }),
          expirationSeconds: spec.expirationSeconds,
          boundObjectRef: {
            kind: 'Pod',
            apiVersion: 'v1',
            name: pod.metadata.name,
            uid: uidOf(pod),
          },
        },
      },
      { namespace: namespaceOf(pod), name, subresource: 'token', signal },
    );
    const { token, expirationTimestamp } = answer.status ?? {};
    if (token === undefined || expirationTimestamp === undefined) {
      throw new VolumeError(`failed to fetch token: the answer has no token`);
    }
    const expiresMs = Date.parse(expirationTimestamp);
    return { token, issuedMs: clock.now(), expiresMs };
  };

  const find = async (pod: Pod, spec: TokenSpec, signal: AbortSignal): Promise<Held> => {
    const uid = uidOf(pod);
    const ofPod = held.get(uid) ?? new Map<string, Held>();
    held.set(uid, ofPod);
    const key = `${spec.audience}\n${spec.expirationSeconds ?? ''}`;
    const known = ofPod.get(key);
    if (known !== undefined && !isDue(known)) return known;
    try {
      const fresh = await request(pod, spec, signal);
      ofPod.set(key, fresh);
      return fresh;
    } catch (error) {
      if (known !== undefined && clock.now() < known.expiresMs) {
        log.warning('cannot renew a service account token', { what: messageOf(error) });
        return known;
      }
      throw new VolumeError(`failed to fetch token: ${messageOf(error)}`, { cause: error });
    }
  };
  return {
    token: async (pod, spec, signal) => (await find(pod, spec, signal)).token,
    async tokenWithEnd(pod, spec, signal) {
      const { token, expiresMs } = await find(pod, spec, signal);
      return { token, expirationTimestamp: formatTime(expiresMs) };
    },
    forget: (podUid) => void held.delete(podUid),
  };
}
