import {
  createBootstrapTokenAuthenticator,
  createClientCertificateAuthenticator,
  createFrontProxyAuthenticator,
  createLegacyTokenUse,
  createPasswordAuthenticator,
  createServiceAccountTokenAuthenticator,
  createTokenUnion,
  createUnionAuthenticator,
  createWebhookTokenAuthenticator,
  forOwnAudiences,
  fromRequest,
  parseBundle,
  parseTokenFile,
} from '#apiserver/authn/mod.ts';
import type {
  Authenticator,
  LegacyTokenUse,
  RequestAuthenticator,
  TokenAuthenticator,
} from '#apiserver/authn/mod.ts';
import type { ApiServerParts } from '#apiserver/mod.ts';
import type { ServiceResolver } from '#apiserver/webhook-client/mod.ts';
import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { MetricRegistry } from '#base/metrics.ts';
import type { Client } from '#client/mod.ts';
import type { ServiceAccountTokens } from '#pki/mod.ts';
import { keepTrust } from '#apiserver/bootstrap/mod.ts';
import type { ClusterTrust } from '#apiserver/bootstrap/mod.ts';
import type { ApiServerArgs } from '../api-server-args/mod.ts';
import type { Authorities } from '../authorities.ts';
import type { SupervisorUser } from '../join-credentials.ts';
import { followArgFile, readArgFile } from './files.ts';
import { createReloadMeter } from './reload-meter.ts';
import { createJwtIssuers } from './jwt-issuers.ts';
import { checkedAuthorities, readAuthorities } from './own-keys.ts';
import type { JwtIssuers } from './jwt-issuers.ts';
import { loadWebhook } from './webhook-file.ts';

export interface AuthenticationOptions {
  readonly args: ApiServerArgs;
  readonly reader: ApiServerParts['reader'];
  readonly clusterDomain: string;
  readonly authorities: Authorities;
  /** Asked at each login: a token may be rotated. */
  readonly users: () => readonly SupervisorUser[];
  readonly tokens: ServiceAccountTokens;
  readonly resolver: ServiceResolver;
  /** Speaks as a member of system:masters: notes the use of tokens. */
  readonly client: Client;
  readonly metrics?: MetricRegistry | undefined;
  /** Tells this server from others in metrics. */
  readonly serverId: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Who is known to the API server. */
export interface Authentication {
  readonly authenticator: RequestAuthenticator;
  /** Names callers of the supervisor's routes. */
  readonly supervisorAuthenticator: RequestAuthenticator;
  /** Every kind of bearer token, for reviews. */
  readonly tokens: TokenAuthenticator;
  /** The first one signs tokens of service accounts. */
  readonly issuers: readonly [string, ...string[]];
  readonly audiences: readonly string[];
  /** Work beside requests: reads --authentication-config again when it changes. */
  start(signal: AbortSignal): void;
}

/** Authentication as the arguments of kube-apiserver say, with k3s' defaults. Throws `Usage`. */
export function createAuthentication(options: AuthenticationOptions): Authentication {
  const { args, reader, authorities, clock, log } = options;
  const ownIssuer = `https://kubernetes.default.svc.${options.clusterDomain}`;
  const [firstIssuer = ownIssuer, ...otherIssuers] = args.list('service-account-issuer');
  const issuers = [firstIssuer, ...otherIssuers] as const;
  const givenAudiences = args.list('api-audiences');
  const audiences = givenAudiences.length > 0 ? givenAudiences : [ownIssuer, 'k3s'];
  const trust = trustOf(args, authorities);
  let clientAuthorities = parseBundle(trust.clientCa);
  let proxyAuthorities = parseBundle(trust.requestHeaderCa);
  const bootstrap = createBootstrapTokenAuthenticator({ clock, reader, log });
  const certificates = createClientCertificateAuthenticator({
    clock,
    authorities: () => clientAuthorities,
    metrics: options.metrics,
  });
  const jwt = createJwtIssuers({ args, ownIssuers: issuers, clock });
  const legacyUse = createLegacyTokenUse({ client: options.client, clock, log });
  const bootstrapTokens = forOwnAudiences(
    () => audiences,
    (token) => bootstrap.authenticate(bearer(token)),
  );
  const tokens = createTokenUnion([
    ...fileTokens(args, audiences),
    createServiceAccountTokenAuthenticator({
      clock,
      reader,
      verifier: options.tokens,
      issuers,
      audiences,
      metrics: options.metrics,
      noteUse: (secret) => legacyUse.note(secret),
    }),
    bootstrapTokens,
    jwtTokens(jwt, audiences),
    ...webhookTokens(options, audiences),
  ]);
  const frontProxy = createFrontProxyAuthenticator({
    clock,
    authorities: () => proxyAuthorities,
    allowedNames: args.list('requestheader-allowed-names'),
    headers: frontProxyHeaders(args),
  });
  const authenticators: Authenticator[] = [
    frontProxy,
    certificates,
    fromRequest(tokens, () => audiences),
  ];
  const passwords = createPasswordAuthenticator({
    users: () => options.users().map((user) => ({ ...user, uid: user.name })),
  });
  return {
    authenticator: createUnionAuthenticator({
      authenticators,
      anonymous: anonymousRule(args, jwt),
      log,
    }),
    supervisorAuthenticator: createUnionAuthenticator({
      authenticators: [passwords, certificates, fromRequest(bootstrapTokens, () => audiences)],
      anonymous: true,
      log,
    }),
    tokens,
    issuers,
    audiences,
    start(signal) {
      trackLegacyTokens(legacyUse, options, signal);
      const { client } = options;
      keepTrust({ client, reader, trust, clock, log, signal });
      const follow = (arg: AuthorityArg, own: string, use: (bundle: string) => void): void => {
        const path = args.text(arg);
        if (path === '') return;
        const onText = (text: string): void => use(join(own, checkedAuthorities(text)));
        followArgFile({ arg, path, onText, clock, log, signal });
      };
      follow('client-ca-file', authorities.client.certificatePem, (bundle) => {
        clientAuthorities = parseBundle(bundle);
      });
      follow('requestheader-client-ca-file', authorities.requestHeader.certificatePem, (bundle) => {
        proxyAuthorities = parseBundle(bundle);
      });
      const arg = 'authentication-config';
      const path = args.text(arg);
      if (path === '') return;
      const { metrics: registry, serverId } = options;
      const onOutcome = createReloadMeter({ registry, part: 'authentication', serverId, clock });
      const onText = (text: string): void => jwt.update(text);
      followArgFile({ arg, path, onText, onOutcome, clock, log, signal });
    },
  };
}

const bearer = (token: string) => ({
  headers: { authorization: `Bearer ${token}` },
  peerCertificate: undefined,
  remoteAddress: '',
});

function anonymousRule(args: ApiServerArgs, jwt: JwtIssuers): (path: string) => boolean {
  const isOn = args.boolean('anonymous-auth');
  return (path) => {
    const policy = jwt.anonymous();
    if (policy === undefined) return isOn;
    return policy.isEnabled && (policy.paths.length === 0 || policy.paths.includes(path));
  };
}

function fileTokens(args: ApiServerArgs, audiences: readonly string[]): TokenAuthenticator[] {
  const arg = 'token-auth-file';
  const path = args.text(arg);
  if (path === '') return [];
  const users = new Map(
    readArgFile(arg, path, parseTokenFile).map(({ token, user }) => [token, { user }]),
  );
  return [
    forOwnAudiences(
      () => audiences,
      async (token) => users.get(token),
    ),
  ];
}

function jwtTokens(jwt: JwtIssuers, audiences: readonly string[]): TokenAuthenticator {
  return forOwnAudiences(
    () => audiences,
    async (token) => {
      for (const issuer of jwt.current()) {
        const found = await issuer.authenticate(token);
        if (found !== undefined) return found;
      }
      return undefined;
    },
  );
}

function webhookTokens(
  { args, clock, log, resolver }: AuthenticationOptions,
  audiences: readonly string[],
): TokenAuthenticator[] {
  const arg = 'authentication-token-webhook-config-file';
  const path = args.text(arg);
  if (path === '') return [];
  return [
    createWebhookTokenAuthenticator({
      ...loadWebhook(arg, path, { clock, log, resolver }),
      cacheTtlMs: args.durationMs('authentication-token-webhook-cache-ttl'),
      audiences: () => audiences,
      version: args.text('authentication-token-webhook-version') === 'v1' ? 'v1' : 'v1beta1',
      clock,
    }),
  ];
}

const trackingRetryMs = 1000;

/** kube-system may not be there yet when a cluster starts for the first time. */
function trackLegacyTokens(
  use: LegacyTokenUse,
  { clock, log }: AuthenticationOptions,
  signal: AbortSignal,
): void {
  const attempt = async (): Promise<void> => {
    for (;;) {
      try {
        await use.startTracking();
        return;
      } catch (error) {
        log.debug('Cannot note the uses of tokens yet', { error: messageOf(error) });
        await clock.sleep(trackingRetryMs, signal);
      }
    }
  };
  attempt().catch((error: unknown) => {
    if (!signal.aborted) log.error('Uses of tokens are not noted', { error: messageOf(error) });
  });
}

function frontProxyHeaders(args: ApiServerArgs): NonNullable<ClusterTrust['requestHeaders']> {
  return {
    user: args.list('requestheader-username-headers'),
    uid: args.list('requestheader-uid-headers'),
    group: args.list('requestheader-group-headers'),
    extraPrefix: args.list('requestheader-extra-headers-prefix'),
  };
}

type AuthorityArg = 'client-ca-file' | 'requestheader-client-ca-file';

/** One bundle after the other. */
function join(own: string, more: string): string {
  return more === '' ? own : `${own.trimEnd()}\n${more}`;
}

/**
 * What extension servers are told to trust: k3ts' own authorities, which its nodes and tools rely
 * on, and those that the arguments add.
 */
export function trustOf(args: ApiServerArgs, authorities: Authorities): ClusterTrust {
  const more = (arg: AuthorityArg): string => readAuthorities(args, arg);
  return {
    clientCa: join(authorities.client.certificatePem, more('client-ca-file')),
    requestHeaderCa: join(
      authorities.requestHeader.certificatePem,
      more('requestheader-client-ca-file'),
    ),
    requestHeaderAllowedNames: args.list('requestheader-allowed-names'),
    requestHeaders: frontProxyHeaders(args),
  };
}
