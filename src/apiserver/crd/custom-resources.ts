import type { Clock } from '#base/clock.ts';
import { hasReason } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { createReconcileLoop } from '#base/reconcile-loop.ts';
import type { Client } from '#client/mod.ts';
import type { GroupVersionResource, ResourceInfo } from '#schema/mod.ts';
import { jsonEqual } from '#schema/patch/mod.ts';
import type { CustomSchemas } from '#schema/openapi/mod.ts';
import { customTypeName } from '#schema/openapi/mod.ts';
import type { CustomResourceDefinition } from '#schema/types.ts';
import type { ObjectReader } from '../authz/object-reader.ts';
import type { KindHookTable } from '../kinds/kind-hooks.ts';
import type { ResourceRegistry } from '../resource-registry.ts';
import type { WebhookClient } from '../webhook-client/mod.ts';
import type { Condition } from './conditions.ts';
import { hasCondition, withCondition } from './conditions.ts';
import { cleanupFinalizer, createDefinitionHooks } from './definition-hooks.ts';
import { removeInstances } from './instance-cleanup.ts';
import { acceptNames, nextConditions } from './names.ts';
import { storageVersionOf } from './resource-infos.ts';
import { ServedDefinitions } from './served-definitions.ts';

const definitions: GroupVersionResource = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  resource: 'customresourcedefinitions',
};
const retryMs = 500;

export interface CustomResourcesOptions {
  readonly registry: ResourceRegistry;
  readonly reader: ObjectReader;
  /** Acts for the server itself. */
  readonly client: Client;
  readonly webhooks: WebhookClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
}

/** What the API server takes over from here. */
export interface CustomResources {
  readonly kindHooks: KindHookTable;
  /** Custom resources under the names that OpenAPI documents give to their types; others as is. */
  withOpenApiNames(resources: readonly ResourceInfo[]): ResourceInfo[];
  /** Declared schemas by those names. */
  schemas(): CustomSchemas;
  /** Decides about names and cleans up, until the signal is aborted. Serving needs no start. */
  start(signal: AbortSignal): void;
}

/**
 * Follows the CustomResourceDefinitions: serves those whose names are accepted as soon as the cache
 * shows them, writes their conditions, and removes the instances of those that are deleted. Several
 * servers may do this on one datastore: all decide alike, and the first write wins.
 */
export function createCustomResources(options: CustomResourcesOptions): CustomResources {
  const { reader, clock, log } = options;
  const served = new ServedDefinitions(options);
  const dirty = new Set<string>();
  let wake: () => void = () => undefined;
  reader.onChange<CustomResourceDefinition>(definitions, ({ next, previous }) => {
    const definition = next ?? previous;
    if (definition === undefined) return;
    if (next === undefined) served.withdraw(definition.metadata.name);
    else if (isToBeServed(next)) served.serve(next);
    dirty.add(definition.metadata.name);
    // names that one definition gives up may be what others wait for
    if (next === undefined || isSpecChange(next, previous)) {
      for (const other of reader.list<CustomResourceDefinition>(definitions)) {
        if (other.spec.group === definition.spec.group) dirty.add(other.metadata.name);
      }
    }
    wake();
  });
  const parts = { ...options, served };
  return {
    kindHooks: {
      'customresourcedefinitions.apiextensions.k8s.io': createDefinitionHooks({
        now: () => clock.now(),
      }),
    },
    withOpenApiNames: (resources) =>
      resources.map((info) =>
        info.typeName === '' ? { ...info, typeName: customTypeName(info) } : info,
      ),
    schemas: () => served.schemas(),
    start(signal) {
      const cleaning = new Set<string>();
      const reconcile = async (): Promise<void> => {
        for (const name of dirty) {
          dirty.delete(name);
          try {
            await settle(parts, name, cleaning, signal);
          } catch (error) {
            dirty.add(name);
            throw error;
          }
        }
      };
      wake = createReconcileLoop({
        reconcile,
        onError: (error) => {
          if (signal.aborted || hasReason(error, 'Conflict') || hasReason(error, 'NotFound'))
            return;
          log.warning('Cannot settle a CustomResourceDefinition', { error: messageOf(error) });
        },
        retryMs,
        clock,
        signal,
      });
      for (const { metadata } of reader.list<CustomResourceDefinition>(definitions)) {
        dirty.add(metadata.name);
      }
      wake();
    },
  };
}

type Parts = CustomResourcesOptions & { readonly served: ServedDefinitions };

function isToBeServed(definition: CustomResourceDefinition): boolean {
  return hasCondition(definition, 'NamesAccepted') || hasCondition(definition, 'Established');
}

function isSpecChange(
  next: CustomResourceDefinition,
  previous: CustomResourceDefinition | undefined,
): boolean {
  return (
    previous === undefined ||
    next.metadata.generation !== previous.metadata.generation ||
    !jsonEqual(next.status?.acceptedNames, previous.status?.acceptedNames)
  );
}

/** Brings status and instances of one definition in line with what it says. */
async function settle(
  parts: Parts,
  name: string,
  cleaning: Set<string>,
  signal: AbortSignal,
): Promise<void> {
  const { reader, client, clock, served } = parts;
  const definition = reader.get<CustomResourceDefinition>(definitions, '', name);
  if (definition === undefined) return;
  if (definition.metadata.deletionTimestamp !== undefined) {
    if (definition.metadata.finalizers?.includes(cleanupFinalizer) !== true) return;
    if (cleaning.has(name)) return;
    cleaning.add(name);
    // takes as long as finalizers of instances do: others must not wait for it
    void cleanUp(parts, definition, signal).finally(() => cleaning.delete(name));
    return;
  }
  const all = reader.list<CustomResourceDefinition>(definitions);
  const { acceptedNames, namesAccepted } = acceptNames(definition, all);
  const conditions = nextConditions(definition, namesAccepted, clock.now());
  const { status } = definition;
  if (
    jsonEqual(status?.acceptedNames, acceptedNames) &&
    jsonEqual(status?.conditions, conditions)
  ) {
    return;
  }
  const { generation } = definition.metadata;
  const changed: CustomResourceDefinition = {
    ...definition,
    status: {
      ...status,
      acceptedNames,
      conditions: [...conditions],
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    },
  };
  // served before anybody can read that it is
  if (isToBeServed(changed)) served.serve(changed);
  await client.update(definitions, changed, { subresource: 'status' });
}

/** Removes the instances and lets the definition go; tries again for as long as it takes. */
async function cleanUp(
  parts: Parts,
  definition: CustomResourceDefinition,
  signal: AbortSignal,
): Promise<void> {
  const { clock, log } = parts;
  const { name } = definition.metadata;
  while (!signal.aborted) {
    try {
      await cleanUpOnce(parts, definition, signal);
      return;
    } catch (error) {
      if (signal.aborted || hasReason(error, 'NotFound')) return;
      log.warning('Cannot clean up a CustomResourceDefinition', { name, error: messageOf(error) });
      await clock.sleep(retryMs, signal).catch(() => undefined);
    }
  }
}

async function cleanUpOnce(
  parts: Parts,
  definition: CustomResourceDefinition,
  signal: AbortSignal,
): Promise<void> {
  const { client } = parts;
  const { name } = definition.metadata;
  await say(parts, name, {
    status: 'True',
    reason: 'InstanceDeletionInProgress',
    message: 'CustomResource deletion is in progress',
  });
  const verdict = await verdictOf(parts, definition, signal);
  await say(parts, name, {
    status: verdict.isDone ? 'False' : 'True',
    reason: verdict.reason,
    message: verdict.message,
  });
  if (!verdict.isDone) throw new Error(verdict.message);
  const current = await client.get<CustomResourceDefinition>(definitions, name);
  const finalizers = (current.metadata.finalizers ?? []).filter(
    (finalizer) => finalizer !== cleanupFinalizer,
  );
  await client.update(definitions, { ...current, metadata: { ...current.metadata, finalizers } });
}

async function verdictOf(
  { client, clock, registry, served }: Parts,
  definition: CustomResourceDefinition,
  signal: AbortSignal,
): ReturnType<typeof removeInstances> {
  if (!isToBeServed(definition)) {
    return { isDone: true, reason: 'NeverEstablished', message: 'resource was never established' };
  }
  served.serve(definition);
  const { group, names, scope, versions } = definition.spec;
  const plural = definition.status?.acceptedNames?.plural || names.plural;
  const wanted = [storageVersionOf(definition), ...versions.map(({ name }) => name)];
  const resource = wanted
    .map((version) => ({ group, version, resource: plural }))
    .find((one) => registry.byResource(one) !== undefined);
  if (resource === undefined) {
    return { isDone: true, reason: 'InstanceDeletionCompleted', message: 'removed all instances' };
  }
  return await removeInstances({
    client,
    resource,
    namespaced: scope === 'Namespaced',
    clock,
    signal,
  });
}

async function say(
  { client, clock }: Parts,
  name: string,
  words: Pick<Condition, 'status' | 'reason' | 'message'>,
): Promise<void> {
  const current = await client.get<CustomResourceDefinition>(definitions, name);
  const conditions = withCondition(
    current.status?.conditions,
    { type: 'Terminating', ...words },
    clock.now(),
  );
  if (conditions === current.status?.conditions) return;
  const status = { ...current.status, conditions: [...conditions] };
  await client.update(definitions, { ...current, status }, { subresource: 'status' });
}
