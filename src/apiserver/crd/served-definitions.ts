import type { Random } from '#base/random.ts';
import type { ResourceInfo } from '#schema/mod.ts';
import type { CustomSchemas, JsonSchema } from '#schema/openapi/mod.ts';
import { customTypeName } from '#schema/openapi/mod.ts';
import type { CustomResourceDefinition } from '#schema/types.ts';
import type { ResourceRegistry } from '../resource-registry.ts';
import type { WebhookClient } from '../webhook-client/mod.ts';
import { hasCondition } from './conditions.ts';
import { createDefinedKinds } from './defined-kind.ts';
import { resourceInfosOf } from './resource-infos.ts';

/** One definition as it is served at the moment. */
interface Served {
  readonly infos: readonly ResourceInfo[];
  readonly definition: CustomResourceDefinition;
  /** Changes when what is served has to. */
  readonly mark: string;
}

/**
 * The definitions whose resources are in the registry. What a definition says is compiled when its
 * resources are first used, so that a large one costs little when it comes.
 */
export class ServedDefinitions {
  readonly #registry: ResourceRegistry;
  readonly #webhooks: WebhookClient;
  readonly #random: Random;
  readonly #served = new Map<string, Served>();

  constructor(options: { registry: ResourceRegistry; webhooks: WebhookClient; random: Random }) {
    this.#registry = options.registry;
    this.#webhooks = options.webhooks;
    this.#random = options.random;
  }

  /** Serves the definition as it is now; watches of an earlier form of it end. */
  serve(definition: CustomResourceDefinition): void {
    const { name } = definition.metadata;
    const before = this.#served.get(name);
    const mark = markOf(definition);
    if (before?.mark === mark) return;
    const isOther =
      before !== undefined && before.definition.metadata.uid !== definition.metadata.uid;
    if (isOther) this.withdraw(name);
    const infos = resourceInfosOf(definition);
    const kept = new Set(infos.map(({ version }) => version));
    const gone = isOther ? [] : (before?.infos ?? []).filter(({ version }) => !kept.has(version));
    const [first] = before?.infos ?? [];
    const cache = first === undefined ? undefined : this.#registry.byResource(first)?.cache;
    if (gone.length > 0) this.#registry.remove(gone, infos.length === 0);
    this.#served.set(name, { infos, definition, mark });
    const kinds = createDefinedKinds({
      definition,
      webhooks: this.#webhooks,
      random: this.#random,
    });
    this.#registry.add(infos, kinds);
    if (before?.definition.metadata.generation === definition.metadata.generation) return;
    for (const watcher of cache?.watchers.all() ?? []) {
      watcher.endReason = 'reset';
      watcher.wake();
    }
  }

  /** Serves nothing of this definition any more; watches end and its objects leave the memory. */
  withdraw(name: string): void {
    const served = this.#served.get(name);
    if (served === undefined) return;
    this.#served.delete(name);
    this.#registry.remove(served.infos, true);
  }

  schemas(): CustomSchemas {
    const schemas = new Map<string, JsonSchema>();
    for (const { definition, infos } of this.#served.values()) {
      for (const info of infos) {
        const version = definition.spec.versions.find(({ name }) => name === info.version);
        const schema = version?.schema?.openAPIV3Schema;
        if (schema !== undefined)
          schemas.set(customTypeName(info), schema as unknown as JsonSchema);
      }
    }
    return schemas;
  }
}

/** The parts of a definition that decide what is served, as a short text. */
function markOf(definition: CustomResourceDefinition): string {
  const { uid = '', generation = 0 } = definition.metadata;
  const isTerminating = hasCondition(definition, 'Terminating');
  const names = JSON.stringify(definition.status?.acceptedNames ?? {});
  return `${uid}/${generation}/${String(isTerminating)}/${names}`;
}
