import { readFileSync } from 'node:fs';
import {
  createJwtAuthenticator,
  issuerOfFlags,
  readAuthenticationConfiguration,
} from '#apiserver/authn/mod.ts';
import type { AnonymousPolicy, JwtAuthenticator, JwtIssuer } from '#apiserver/authn/mod.ts';
import type { Clock } from '#base/clock.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import type { ApiServerArgs } from '../api-server-args/mod.ts';
import { readArgFile } from './files.ts';

/** What --authentication-config or the flags in its place say at the moment. */
export interface JwtIssuers {
  current(): readonly JwtAuthenticator[];
  /** Absent when --anonymous-auth decides. */
  anonymous(): AnonymousPolicy | undefined;
  /** Takes a new text of the file; throws an Error for a wrong one. */
  update(text: string): void;
}

const oidcArgs = [
  'oidc-issuer-url',
  'oidc-client-id',
  'oidc-ca-file',
  'oidc-username-claim',
  'oidc-username-prefix',
  'oidc-groups-claim',
  'oidc-groups-prefix',
  'oidc-required-claim',
  'oidc-signing-algs',
] as const;

/** The trusted issuers of users' tokens; throws `Usage` for what cannot be. */
export function createJwtIssuers(options: {
  args: ApiServerArgs;
  /** Issuers of service accounts: nobody else's. */
  ownIssuers: readonly string[];
  clock: Clock;
}): JwtIssuers {
  const { args, ownIssuers, clock } = options;
  const path = args.text('authentication-config');
  let anonymous: AnonymousPolicy | undefined;
  let current: readonly JwtAuthenticator[] = [];
  const take = (issuers: readonly JwtIssuer[]): void => {
    current = issuers.map((issuer) => createJwtAuthenticator({ issuer, clock }));
  };
  const update = (text: string): void => {
    const found = readAuthenticationConfiguration(text, ownIssuers);
    if (found.anonymous !== undefined && args.isGiven('anonymous-auth')) {
      throw new Error(
        '--anonymous-auth flag cannot be set when anonymous field is configured in authentication configuration file',
      );
    }
    anonymous = found.anonymous;
    take(found.jwt);
  };
  if (path === '') {
    const issuer = issuerFromArgs(args, ownIssuers);
    take(issuer === undefined ? [] : [issuer]);
  } else {
    if (oidcArgs.some((name) => args.isGiven(name))) {
      throw new K3tsError(
        'Usage',
        'authentication-config file and oidc-* flags are mutually exclusive',
      );
    }
    readArgFile('authentication-config', path, update);
  }
  return { current: () => current, anonymous: () => anonymous, update };
}

function issuerFromArgs(args: ApiServerArgs, ownIssuers: readonly string[]): JwtIssuer | undefined {
  if (!oidcArgs.some((name) => args.isGiven(name))) return undefined;
  const authorityFile = args.text('oidc-ca-file');
  try {
    return issuerOfFlags(
      {
        issuerUrl: args.text('oidc-issuer-url'),
        clientId: args.text('oidc-client-id'),
        authority: authorityFile === '' ? undefined : readFileSync(authorityFile, 'utf8'),
        usernameClaim: args.text('oidc-username-claim'),
        usernamePrefix: args.isGiven('oidc-username-prefix')
          ? args.text('oidc-username-prefix')
          : undefined,
        groupsClaim: args.text('oidc-groups-claim'),
        groupsPrefix: args.text('oidc-groups-prefix'),
        requiredClaims: args.list('oidc-required-claim'),
        signingAlgorithms: args.list('oidc-signing-algs'),
      },
      ownIssuers,
    );
  } catch (error) {
    throw new K3tsError('Usage', messageOf(error), { cause: error });
  }
}
