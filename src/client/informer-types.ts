import type { KubeObject } from '#schema/mod.ts';

/** Called after the informer's own store has the change. Objects are shared and read-only. */
export interface InformerHandler<T extends KubeObject> {
  onAdd?(object: T): void;
  onUpdate?(oldObject: T, newObject: T): void;
  onDelete?(object: T): void;
}

/** A local copy of a resource that follows the server: list, watch, resume, relist on 410. */
export interface Informer<T extends KubeObject> {
  /** `namespace/name`, or `name` for cluster-scoped objects. */
  get(key: string): T | undefined;
  list(): T[];
  listNamespace(namespace: string): T[];
  /** Objects that `indexer` of this name put under `value`. */
  byIndex(index: string, value: string): T[];
  /** Adds an index; must be called before start. */
  addIndex(name: string, indexer: (object: T) => readonly string[]): void;
  /** Handlers added after the start first get an add for every object. Returns the remover. */
  addHandler(handler: InformerHandler<T>): () => void;
  /** True after the first complete list. */
  readonly hasSynced: boolean;
  synced(signal?: AbortSignal): Promise<void>;
}
