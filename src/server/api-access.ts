import { createMetricsServer } from '#addons/mod.ts';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import type { ApiServerExtensions, ApiServerParts } from '#apiserver/mod.ts';
import {
  createAdmissionPlugins,
  createClientQuotaWriter,
  createExtensionPlugins,
  createPolicyHooks,
  keepPolicyStatus,
} from '#apiserver/admission/mod.ts';
import { createAggregation } from '#apiserver/aggregation/mod.ts';
import { apiServerId } from '#apiserver/bootstrap/mod.ts';
import { createCustomResources } from '#apiserver/crd/mod.ts';
import { createConnectHandler, createDirectTransport } from '#apiserver/connect/mod.ts';
import { createDiscovery } from '#apiserver/discovery/mod.ts';
import { createOpenApiRoutes } from '#apiserver/openapi/mod.ts';
import { AdmissionChain, gitVersion } from '#apiserver/mod.ts';
import { createServiceResolver, createWebhookClient } from '#apiserver/webhook-client/mod.ts';
import { createServiceAllocation } from '#apiserver/allocators/mod.ts';
import { createIssuerRoutes, createTokenRequestHandler } from '#apiserver/authn/mod.ts';
import type { RequestAuthenticator } from '#apiserver/authn/mod.ts';
import { createReviewHandlers } from '#apiserver/authz/mod.ts';
import { createEventRecorder } from '#client/mod.ts';
import type { ServiceAccountTokens } from '#pki/mod.ts';
import { catalog } from '#schema/mod.ts';
import type { Backend } from '#store/mod.ts';
import { createAuthentication } from './access/authentication.ts';
import { createAuthorization } from './access/authorization.ts';
import { readApiServerArgs } from './api-server-args/mod.ts';
import { createAccountClient } from './components/mod.ts';
import { imagePolicyBackend } from './admission-config/mod.ts';
import type { AdmissionSettings } from './admission-config/mod.ts';
import type { Authorities } from './authorities.ts';
import type { SupervisorUser } from './join-credentials.ts';
import type { ServerSettings } from './settings.ts';

/** Acts for the server's own parts inside the process. */
export const serverUser = {
  name: 'system:apiserver',
  groups: ['system:masters', 'system:authenticated'],
} as const;

export interface ApiAccess extends ApiServerExtensions {
  /** Names callers of the supervisor's routes. */
  readonly supervisorAuthenticator: RequestAuthenticator;
}

/**
 * Who is known to the API server and what they may do, with k3s' choices: no anonymous requests,
 * Node and RBAC authorization, NodeRestriction on.
 */
export function createApiAccess(options: {
  parts: ApiServerParts;
  /** Where node ports are taken. */
  backend: Backend;
  settings: ServerSettings;
  authorities: Authorities;
  users: () => readonly SupervisorUser[];
  tokens: ServiceAccountTokens;
  /** PEM texts of client-kube-apiserver, with which this server speaks to kubelets. */
  kubeletClient: { certificate: string; key: string };
  /** PEM texts of client-auth-proxy, with which it speaks to extension API servers. */
  proxyClient: { cert: string; key: string };
  admission: AdmissionSettings;
  clock: Clock;
  random: Random;
  log: Logger;
}): ApiAccess {
  const { parts, settings, authorities, tokens, clock, random, log } = options;
  const { reader, registry } = parts;
  const args = settings.apiServerArgs ?? readApiServerArgs();
  const resolver = createServiceResolver({ reader, random });
  const { clusterDomain } = settings;
  const authentication = createAuthentication({
    ...options,
    args,
    reader,
    clusterDomain,
    resolver,
    metrics: parts.metrics,
    serverId: apiServerId(settings.nodeName),
    client: parts.client(serverUser, 'kube-apiserver'),
  });
  const authorization = createAuthorization({
    args,
    reader,
    resolver,
    metrics: parts.metrics,
    serverId: apiServerId(settings.nodeName),
    clock,
    log,
  });
  const { authorizer, rbac } = authorization;
  const { audiences, issuers } = authentication;
  const [issuer] = issuers;
  const webhooks = { clock, log, resolver };
  const webhookClient = createWebhookClient(webhooks);
  const admissionPlugins = createAdmissionPlugins({
    reader,
    authorizer,
    rbac,
    ...options.admission,
    imagePolicy: imagePolicyBackend(options.admission, webhooks),
    client: parts.client(serverUser, 'kube-apiserver'),
    metrics: parts.metrics,
    clock,
    random,
    resources: () => registry.all(),
    quotaWriter: createClientQuotaWriter({ client: parts.client(serverUser, 'k3ts-admission') }),
    more: createExtensionPlugins({
      reader,
      registry,
      authorizer,
      metrics: parts.metrics,
      mutatingClient: createWebhookClient({
        ...webhooks,
        credentials: options.admission.mutatingWebhook,
      }),
      validatingClient: createWebhookClient({
        ...webhooks,
        credentials: options.admission.validatingWebhook,
      }),
      clock,
      random,
      log,
    }),
  });
  const customResources = createCustomResources({
    registry,
    reader,
    client: parts.client(serverUser, 'kube-apiserver'),
    webhooks: webhookClient,
    clock,
    random,
    log,
  });
  const services = createServiceAllocation({
    reader,
    client: parts.client(serverUser, 'kube-apiserver'),
    backend: options.backend,
    metrics: parts.metrics,
    clock,
    random,
    log,
    serviceCidrs: settings.serviceCidrs,
    nodePorts: { from: settings.nodePortRange.first, to: settings.nodePortRange.last },
  });
  const metricsServer = settings.disabled.has('metrics-server')
    ? undefined
    : createMetricsServer({
        reader,
        client: parts.client(serverUser, 'metrics-server'),
        clock,
        log,
      });
  const aggregation = createAggregation({
    local: metricsServer === undefined ? [] : [metricsServer.api],
    reader,
    client: parts.client(serverUser, 'kube-aggregator'),
    metrics: parts.metrics,
    resources: () => registry.all(),
    onResourcesChange: (listener) => registry.onChange(listener),
    groups: catalog.groups(),
    resolver,
    certificate: () => options.proxyClient,
    onChange: () => invalidateDocuments(),
    clock,
    log,
  });
  const discovery = createDiscovery({
    resources: () => registry.all(),
    others: () => aggregation.discovered(),
    groups: catalog.groups(),
    serverAddress: `${settings.advertiseAddress}:${settings.advertisePort}`,
  });
  const openApi = createOpenApiRoutes({
    resources: () => customResources.withOpenApiNames(registry.all()),
    customSchemas: () => customResources.schemas(),
    version: gitVersion,
    others: {
      v3: () => aggregation.openApiV3(),
      extendV2: (own) => aggregation.mergeOpenApiV2(own),
    },
    nowMs: () => clock.now(),
  });
  const connect = createConnectHandler({
    reader,
    authorizer,
    transport: createDirectTransport({
      clock,
      credentials: () => ({
        ...options.kubeletClient,
        authority: authorities.server.certificatePem,
      }),
    }),
    clock,
    random,
    log,
  });
  const maxTokenSeconds = args.durationMs('service-account-max-token-expiration') / 1000;
  const virtualResources = createReviewHandlers({
    authorizer,
    tokens: authentication.tokens,
    audiences,
  });
  virtualResources.set(
    'serviceaccounts/token',
    createTokenRequestHandler({
      reader,
      clock,
      random,
      signer: tokens,
      issuer,
      audiences,
      extendExpiration: args.boolean('service-account-extend-token-expiration'),
      maxExpirationSeconds: maxTokenSeconds === 0 ? undefined : maxTokenSeconds,
      admission: new AdmissionChain(admissionPlugins),
    }),
  );
  const invalidateDocuments = (): void => {
    discovery.invalidate();
    openApi.invalidate();
  };
  registry.onChange(invalidateDocuments);
  const ownJwksUri = `https://${settings.advertiseAddress}:${settings.advertisePort}/openid/v1/jwks`;
  const jwksUri = args.text('service-account-jwks-uri') || ownJwksUri;
  return {
    authenticator: authentication.authenticator,
    authorizer,
    supervisorAuthenticator: authentication.supervisorAuthenticator,
    admissionPlugins,
    kindHooks: { services: services.hooks, ...createPolicyHooks(), ...customResources.kindHooks },
    virtualResources,
    connect,
    aggregate: aggregation.hook,
    healthChecks: aggregation.healthChecks,
    background(signal) {
      aggregation.start(signal);
      metricsServer?.start(signal);
      customResources.start(signal);
      authentication.start(signal);
      authorization.follow(signal);
      services.keepPorts({
        recorder: createEventRecorder({
          client: parts.client(serverUser, 'kube-apiserver'),
          component: 'portallocator-repair-controller',
          clock,
          random,
          log,
          signal,
        }),
        signal,
      });
      keepPolicyStatus({
        reader,
        client: createAccountClient(parts, 'validatingadmissionpolicy-status-controller'),
        resources: () => registry.all(),
        customTypes: (resource) => registry.byResource(resource)?.custom?.celType(),
        log,
        signal,
      });
    },
    routes: [
      ...aggregation.routes,
      ...discovery.routes,
      ...openApi.routes,
      ...createIssuerRoutes({ issuer, jwksUri, keys: tokens.keys }),
    ],
  };
}
