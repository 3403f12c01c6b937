import { formatTime } from '#base/clock.ts';
import type { Clock } from '#base/clock.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import { applyDefaults, catalog, conform, readYaml } from '#schema/mod.ts';
import type { FieldError } from '#schema/mod.ts';
import type { Pod, Toleration } from '#schema/types.ts';
import { apiReference } from './api-references.ts';
import { podAnnotations } from './names.ts';

/** Where a manifest comes from, and for which node it is. */
export interface ManifestOrigin {
  readonly source: 'file' | 'http';
  /** The file's path, or the URL. */
  readonly path: string;
  readonly nodeName: string;
  readonly clock: Pick<Clock, 'now'>;
}

/** A manifest that holds no pod at all; what holds one that cannot be used fails otherwise. */
export class NoPodError extends K3tsError {
  constructor(message: string, cause?: unknown) {
    super('NoPod', message, { cause });
    this.name = 'NoPodError';
  }
}

const podType = 'io.k8s.api.core.v1.Pod';
const podResource = { group: '', version: 'v1', resource: 'pods' };

/**
 * The pod of a manifest in YAML or JSON, with its defaults, and with the name, uid, annotations and
 * toleration that make it a pod of this node. Throws NoPodError for what is no Pod, and upstream's
 * text for a pod that is invalid or needs objects of the API.
 */
export async function readPodManifest(text: string, origin: ManifestOrigin): Promise<Pod> {
  const pod = readDocument(text, 'Pod') as unknown as Pod;
  return await asStaticPod(conformed(pod), origin);
}

/** The same for a PodList; one pod that cannot be used spoils all. */
export async function readPodListManifest(text: string, origin: ManifestOrigin): Promise<Pod[]> {
  const { items } = readDocument(text, 'PodList');
  const pods: Pod[] = [];
  for (const item of Array.isArray(items) ? (items as Pod[]) : []) {
    const typed = { ...item, apiVersion: 'v1', kind: 'Pod' };
    pods.push(await asStaticPod(conformed(typed), origin));
  }
  return pods;
}

function readDocument(text: string, wanted: 'Pod' | 'PodList'): Record<string, unknown> {
  let value: unknown;
  try {
    value = readYaml(text).value;
  } catch (error) {
    throw new NoPodError(messageOf(error), error);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) value = {};
  const document = value as Record<string, unknown>;
  const kind = String(document['kind'] ?? '');
  const version = String(document['apiVersion'] ?? '');
  if (kind === '')
    throw new NoPodError(`Object 'Kind' is missing in '${JSON.stringify(document)}'`);
  if (version === '') {
    throw new NoPodError(`Object 'apiVersion' is missing in '${JSON.stringify(document)}'`);
  }
  if (kind === wanted && version === 'v1') return document;
  const known = catalog.all.some(
    (info) =>
      info.kind === kind && [info.group, info.version].filter(Boolean).join('/') === version,
  );
  if (known || (['Pod', 'PodList'].includes(kind) && version === 'v1')) {
    throw new NoPodError(
      `invalid ${wanted === 'Pod' ? 'pod' : 'pods list'}: ${JSON.stringify(document)}`,
    );
  }
  throw new NoPodError(
    `no kind "${kind}" is registered for version "${version}" in scheme "pkg/api/legacyscheme/scheme.go:30"`,
  );
}

function conformed(pod: Pod): Pod {
  let object: Pod;
  try {
    ({ object } = conform(pod, podType, 'Ignore'));
  } catch (error) {
    // The API's own words around the reason name a request.
    const reason = error instanceof Error ? (error.cause ?? error) : error;
    throw new NoPodError(messageOf(reason), error);
  }
  applyDefaults(object, podType);
  return object;
}

async function asStaticPod(pod: Pod, origin: ManifestOrigin): Promise<Pod> {
  if ((pod.metadata?.name ?? '') === '') {
    throw invalidPod('name is needed for the pod');
  }
  const own = nodePod(pod, origin);
  // Loaded when there is a static pod: most nodes have none.
  const { validateCreate } = await import('#schema/validation/mod.ts');
  const info = catalog.byResource(podResource);
  const errors = info === undefined ? [] : validateCreate(info, own as never);
  if (errors.length > 0) throw invalidPod(`[${errors.map(shown).join(' ')}]`);
  const reference = apiReference(own);
  if (reference !== undefined) {
    throw new K3tsError('StaticPod', `static pods may not reference ${reference}`);
  }
  return own;
}

const shown = ({ field, message }: FieldError): string => `${field}: ${message}`;

function invalidPod(problem: string): K3tsError {
  return new K3tsError('StaticPod', `invalid pod: ${problem}`);
}

function nodePod(pod: Pod, { source, path, nodeName, clock }: ManifestOrigin): Pod {
  const { metadata } = pod;
  // A file is this node's own; what a URL answers is the same pod for everybody who asks it.
  const place = source === 'file' ? `host:${nodeName}file:${path}` : `url:${path}`;
  const uid = metadata.uid || fnv128(`${JSON.stringify(pod)}${place}`);
  const seen = formatTime(clock.now());
  const tolerations = pod.spec?.tolerations;
  return {
    ...pod,
    metadata: {
      ...metadata,
      name: `${metadata.name}-${nodeName.toLowerCase()}`,
      namespace: metadata.namespace || 'default',
      uid,
      creationTimestamp: seen,
      annotations: {
        ...metadata.annotations,
        [podAnnotations.source]: source,
        [podAnnotations.seen]: seen,
        [podAnnotations.hash]: uid,
      },
    },
    spec: {
      containers: [],
      ...pod.spec,
      nodeName,
      ...(source === 'file' ? { tolerations: withNoExecute(tolerations) } : {}),
    },
    status: { phase: 'Pending' },
  };
}

/** Problems of the node do not end a pod that comes from one of its files. */
function withNoExecute(tolerations: readonly Toleration[] = []): Toleration[] {
  const isSame = ({ key = '', operator, effect, value = '' }: Toleration): boolean =>
    key === '' && operator === 'Exists' && effect === 'NoExecute' && value === '';
  const others = tolerations.filter((toleration) => !isSame(toleration));
  return [...others, { operator: 'Exists', effect: 'NoExecute' }];
}

const offsetBasis = 0x6c62272e07bb014262b821756295c58dn;
const prime = 0x0000000001000000000000000000013bn;

/** FNV-1a of 128 bits in hex. */
function fnv128(text: string): string {
  let hash = offsetBasis;
  for (const byte of Buffer.from(text)) {
    hash = BigInt.asUintN(128, (hash ^ BigInt(byte)) * prime);
  }
  return hash.toString(16).padStart(32, '0');
}
