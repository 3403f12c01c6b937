import {
  countDecisions,
  createAbacAuthorizer,
  createAlwaysAllowAuthorizer,
  createAlwaysDenyAuthorizer,
  createNodeAuthorizer,
  createRbacAuthorizer,
  createSuperuserAuthorizer,
  createUnionAuthorizer,
  createWebhookAuthorizer,
  createWebhookMeter,
  parsePolicyFile,
  readAuthorizationConfiguration,
} from '#apiserver/authz/mod.ts';
import type {
  AuthorizationMode,
  Authorizer,
  AuthorizerEntry,
  RbacAuthorizer,
  UnionAuthorizer,
} from '#apiserver/authz/mod.ts';
import { defaultNodeRules } from '#apiserver/bootstrap/mod.ts';
import type { ApiServerParts } from '#apiserver/mod.ts';
import type { ServiceResolver } from '#apiserver/webhook-client/mod.ts';
import type { Clock } from '#base/clock.ts';
import { K3tsError } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { MetricRegistry } from '#base/metrics.ts';
import type { ApiServerArgs } from '../api-server-args/mod.ts';
import { followArgFile, readArgFile } from './files.ts';
import { createReloadMeter } from './reload-meter.ts';
import { loadWebhook } from './webhook-file.ts';

const policyFileArg = 'authorization-policy-file';
const webhookTimeoutMs = 30_000;

export interface AuthorizationOptions {
  readonly args: ApiServerArgs;
  readonly reader: ApiServerParts['reader'];
  readonly resolver: ServiceResolver;
  readonly metrics?: MetricRegistry | undefined;
  /** Tells this server from others in metrics. */
  readonly serverId: string;
  readonly clock: Clock;
  readonly log: Logger;
}

/** What users may do. */
export interface Authorization {
  readonly authorizer: UnionAuthorizer;
  /** Also where RBAC decides nothing: roles are checked against it when they are written. */
  readonly rbac: RbacAuthorizer;
  /** Reads --authorization-config again when it changes. */
  follow(signal: AbortSignal): void;
}

/** Authorization as the arguments of kube-apiserver say, with k3s' defaults. Throws `Usage`. */
export function createAuthorization(options: AuthorizationOptions): Authorization {
  const { args, reader, clock, log } = options;
  const rbac = createRbacAuthorizer({ reader });
  const node = createNodeAuthorizer({ reader, nodeRules: defaultNodeRules() });
  const superuser = createSuperuserAuthorizer();
  const build = (entry: AuthorizerEntry): Authorizer => {
    switch (entry.mode) {
      case 'ABAC':
        return abacOf(args);
      case 'AlwaysAllow':
        return createAlwaysAllowAuthorizer();
      case 'AlwaysDeny':
        return createAlwaysDenyAuthorizer();
      case 'Node':
        return node;
      case 'RBAC':
        return rbac;
      case 'Webhook':
        return webhookOf(entry, options);
    }
  };
  const counted = (entry: AuthorizerEntry): Authorizer => {
    const { mode: type, name } = entry;
    const { metrics } = options;
    const made = build(entry);
    return metrics === undefined ? made : countDecisions(made, metrics, { type, name });
  };
  let current: readonly Authorizer[] = [];
  const take = (entries: readonly AuthorizerEntry[]): void => {
    checkPolicyFile(entries, args);
    current = [superuser, ...entries.map(counted)];
  };
  const arg = 'authorization-config';
  const path = args.text(arg);
  const update = (text: string): void => take(readAuthorizationConfiguration(text));
  if (path === '') take(entriesOfArgs(args));
  else {
    refuseFlagsBeside(args);
    readArgFile(arg, path, update);
  }
  return {
    authorizer: createUnionAuthorizer({ authorizers: () => current }),
    rbac,
    follow(signal) {
      if (path === '') return;
      const { metrics: registry, serverId } = options;
      const onOutcome = createReloadMeter({ registry, part: 'authorization', serverId, clock });
      followArgFile({ arg, path, onText: update, onOutcome, clock, log, signal });
    },
  };
}

const webhookArgs = [
  'authorization-webhook-config-file',
  'authorization-webhook-version',
  'authorization-webhook-cache-authorized-ttl',
  'authorization-webhook-cache-unauthorized-ttl',
] as const;

function refuseFlagsBeside(args: ApiServerArgs): void {
  if (!args.isGiven('authorization-mode') && !webhookArgs.some((arg) => args.isGiven(arg))) return;
  throw new K3tsError(
    'Usage',
    '--authorization-config can not be specified when --authorization-mode or --authorization-webhook-* flags are defined',
  );
}

/** The policies are those of the start, also where the file with the authorizers is read again. */
function checkPolicyFile(entries: readonly AuthorizerEntry[], args: ApiServerArgs): void {
  const isGiven = args.text(policyFileArg) !== '';
  if (entries.some((entry) => entry.mode === 'ABAC') === isGiven) return;
  throw new K3tsError(
    'Usage',
    isGiven
      ? `cannot specify --${policyFileArg} without mode ABAC`
      : "authorization-mode ABAC's authorization policy file not passed",
  );
}

function abacOf(args: ApiServerArgs): Authorizer {
  const path = args.text(policyFileArg);
  const policies = readArgFile(policyFileArg, path, (text) => parsePolicyFile(path, text));
  return createAbacAuthorizer({ policies });
}

function entriesOfArgs(args: ApiServerArgs): AuthorizerEntry[] {
  const modes = args.list('authorization-mode') as readonly AuthorizationMode[];
  const kubeconfig = args.text('authorization-webhook-config-file');
  const twice = modes.find((mode, index) => modes.indexOf(mode) !== index);
  if (twice !== undefined) {
    const text = `authorization-mode ${JSON.stringify(modes)} has mode specified more than once`;
    throw new K3tsError('Usage', text);
  }
  if (modes.includes('Webhook') !== (kubeconfig !== '')) {
    throw new K3tsError(
      'Usage',
      kubeconfig === ''
        ? "authorization-mode Webhook's authorization config file not passed"
        : 'cannot specify --authorization-webhook-config-file without mode Webhook',
    );
  }
  return modes.map((mode): AuthorizerEntry => {
    if (mode !== 'Webhook') return { mode, name: mode.toLowerCase() };
    return {
      mode,
      name: 'default',
      webhook: {
        kubeconfig,
        timeoutMs: webhookTimeoutMs,
        authorizedTtlMs: args.durationMs('authorization-webhook-cache-authorized-ttl'),
        unauthorizedTtlMs: args.durationMs('authorization-webhook-cache-unauthorized-ttl'),
        failurePolicy: 'NoOpinion',
        conditions: [],
        version: args.text('authorization-webhook-version') === 'v1' ? 'v1' : 'v1beta1',
      },
    };
  });
}

function webhookOf(
  { name, webhook }: AuthorizerEntry,
  { clock, log, resolver, metrics }: AuthorizationOptions,
): Authorizer {
  if (webhook === undefined) throw new K3tsError('Usage', `authorizer ${name} has no webhook`);
  const arg = 'authorization-webhook-config-file';
  return createWebhookAuthorizer({
    ...loadWebhook(arg, webhook.kubeconfig, { clock, log, resolver }),
    ...webhook,
    meter: metrics === undefined ? undefined : createWebhookMeter(metrics, clock, name),
    name,
    clock,
    log,
  });
}
