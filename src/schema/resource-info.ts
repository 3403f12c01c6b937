import type { GroupVersionKind, GroupVersionResource } from './object.ts';

export interface SubresourceInfo {
  /** `status`, `scale`, `binding`, … */
  readonly name: string;
  readonly kind: string;
  /** Group and version of `kind` when they differ from the parent's (autoscaling/v1 Scale). */
  readonly group: string;
  readonly version: string;
  readonly verbs: readonly string[];
}

/** What the API server knows of one resource: from resources.json for built-in ones, from a CRD for others. */
export interface ResourceInfo extends GroupVersionResource, GroupVersionKind {
  readonly singular: string;
  readonly listKind: string;
  readonly namespaced: boolean;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  readonly verbs: readonly string[];
  readonly subresources: readonly SubresourceInfo[];
  /** OpenAPI name of the type: io.k8s.api.core.v1.Pod. */
  readonly typeName: string;
  /** Key prefix in the store with the trailing slash: /registry/pods/. */
  readonly storagePrefix: string;
  /** Group, version and kind that the store holds; another one than served for events.k8s.io. */
  readonly storage: GroupVersionKind;
  readonly storageVersionHash: string;
  /** Fields that fieldSelector may use beside metadata.name and metadata.namespace. */
  readonly selectableFields: readonly string[];
  readonly allowCreateOnUpdate: boolean;
  /** False when an update must carry a resourceVersion. */
  readonly allowUnconditionalUpdate: boolean;
  readonly defaultPropagation: 'Background' | 'Orphan';
}
