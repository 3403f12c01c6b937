import { hasReason } from '#base/api-status-error.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import type { GroupVersionResource, KubeObject } from '#schema/mod.ts';
import type { ConfigMap, StorageClass } from '#schema/types.ts';

/** The name that classes, claims and volumes carry, as with the provisioner k3s packages. */
export const provisionerName = 'rancher.io/local-path';
export const configNamespace = 'kube-system';
export const configName = 'local-path-config';

/** How k3s marks what its packaged manifest of this name made. */
const ownerAnnotation = 'objectset.rio.cattle.io/owner-name';
const ownerName = 'local-storage';
const annotations = { [ownerAnnotation]: ownerName };

function storageClass(): StorageClass {
  return {
    apiVersion: 'storage.k8s.io/v1',
    kind: 'StorageClass',
    metadata: {
      name: 'local-path',
      annotations: {
        ...annotations,
        defaultVolumeType: 'local',
        'storageclass.kubernetes.io/is-default-class': 'true',
      },
    },
    provisioner: provisionerName,
    volumeBindingMode: 'WaitForFirstConsumer',
    reclaimPolicy: 'Delete',
  };
}

function configMap(storagePath: string): ConfigMap {
  const config = {
    nodePathMap: [{ node: 'DEFAULT_PATH_FOR_NON_LISTED_NODES', paths: [storagePath] }],
  };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: configName, namespace: configNamespace, annotations },
    data: { 'config.json': JSON.stringify(config, undefined, 2) },
  };
}

/**
 * Makes the StorageClass and the ConfigMap where they are missing; what is there stays as the user
 * left it.
 */
export async function ensureObjects(client: Client, storagePath: string): Promise<void> {
  await createIfMissing(client, resources.storageClasses, storageClass());
  await createIfMissing(client, resources.configMaps, configMap(storagePath));
}

/** Removes both, as --disable does, unless somebody else made them. */
export async function removeObjects(client: Client): Promise<void> {
  const { name } = storageClass().metadata;
  await removeOwn(client, resources.storageClasses, name, undefined);
  await removeOwn(client, resources.configMaps, configName, configNamespace);
}

async function createIfMissing(
  client: Client,
  resource: GroupVersionResource,
  object: KubeObject,
): Promise<void> {
  try {
    await client.create(resource, object, { namespace: object.metadata.namespace });
  } catch (error) {
    if (!hasReason(error, 'AlreadyExists')) throw error;
  }
}

async function removeOwn(
  client: Client,
  resource: GroupVersionResource,
  name: string,
  namespace: string | undefined,
): Promise<void> {
  try {
    const { metadata } = await client.get(resource, name, { namespace });
    if (metadata.annotations?.[ownerAnnotation] !== ownerName) return;
    await client.delete(resource, name, { namespace });
  } catch (error) {
    if (!hasReason(error, 'NotFound')) throw error;
  }
}
