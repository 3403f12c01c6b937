import { join } from 'node:path';
import { hasReason } from '#base/api-status-error.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import type { Random } from '#base/random.ts';
import { objectKey, resources } from '#client/mod.ts';
import type { Client, EventRecorder, Informer } from '#client/mod.ts';
import { claimClass, selectedNodeAnnotation } from '#schema/volumes/mod.ts';
import type {
  ConfigMap,
  Node,
  PersistentVolume,
  PersistentVolumeClaim,
  StorageClass,
} from '#schema/types.ts';
import { choosePath, parseConfig } from './config.ts';
import { directoryName } from './directory-name.ts';
import type { NodeDirectories } from './node-directories.ts';
import { configName, configNamespace, provisionerName } from './objects.ts';
import { newVolume, volumeNameFor } from './volume.ts';

export interface ProvisionContext {
  readonly client: Client;
  readonly classes: Informer<StorageClass>;
  readonly nodes: Informer<Node>;
  readonly events: EventRecorder;
  readonly directories: NodeDirectories;
  readonly random: Random;
  readonly signal: AbortSignal;
}

const provisionerAnnotations = [
  'volume.kubernetes.io/storage-provisioner',
  'volume.beta.kubernetes.io/storage-provisioner',
];

/** The class of a claim that waits for a volume of ours; undefined for every other claim. */
export function classToProvision(
  claim: PersistentVolumeClaim,
  classes: Informer<StorageClass>,
): StorageClass | undefined {
  const { annotations, deletionTimestamp } = claim.metadata;
  if ((claim.spec?.volumeName ?? '') !== '' || deletionTimestamp !== undefined) return undefined;
  if (!provisionerAnnotations.some((key) => annotations?.[key] === provisionerName)) {
    return undefined;
  }
  const storageClass = classes.get(claimClass(claim));
  if (storageClass?.provisioner !== provisionerName) return undefined;
  const isDelayed = storageClass.volumeBindingMode === 'WaitForFirstConsumer';
  const hasNode = (annotations?.[selectedNodeAnnotation] ?? '') !== '';
  return isDelayed && !hasNode ? undefined : storageClass;
}

/**
 * Makes directory and volume for a claim; the binder does the rest. Events have the texts of
 * upstream's provisioner library. Throws to be called again.
 */
export async function provision(
  context: ProvisionContext,
  claim: PersistentVolumeClaim,
  storageClass: StorageClass,
): Promise<void> {
  const { client, events, nodes } = context;
  const nodeName = claim.metadata.annotations?.[selectedNodeAnnotation] ?? '';
  if (nodeName !== '' && nodes.get(nodeName) === undefined) {
    await askForAnotherNode(client, claim);
    return;
  }
  const text = `External provisioner is provisioning volume for claim "${objectKey(claim)}"`;
  events.event(claim, 'Normal', 'Provisioning', text);
  try {
    const volume = await makeVolume(context, claim, storageClass, nodes.get(nodeName));
    const done = `Successfully provisioned volume ${volume.metadata.name}`;
    events.event(claim, 'Normal', 'ProvisioningSucceeded', done);
  } catch (error) {
    if (context.signal.aborted) throw error;
    const why = `failed to provision volume with StorageClass "${storageClass.metadata.name}": ${messageOf(error)}`;
    events.event(claim, 'Warning', 'ProvisioningFailed', why);
    throw error;
  }
}

async function makeVolume(
  context: ProvisionContext,
  claim: PersistentVolumeClaim,
  storageClass: StorageClass,
  node: Node | undefined,
): Promise<PersistentVolume> {
  const { client, random, directories, signal } = context;
  const { data } = await client.get<ConfigMap>(resources.configMaps, configName, {
    namespace: configNamespace,
    signal,
  });
  const config = parseConfig(data?.['config.json'], storageClass.metadata.name);
  const isShared = config.sharedPath !== undefined;
  checkClaim(claim, isShared);
  if (node === undefined) fail('configuration error, no node was specified');
  const wanted = storageClass.parameters?.['nodePath'];
  const base = choosePath(config, node.metadata.name, { wanted, random });
  const path = join(base, directoryName(volumeNameFor(claim), claim, storageClass));
  await directories.make(node.metadata.name, path, signal);
  const volume = newVolume({ claim, storageClass, node, path, isShared });
  try {
    return await client.create(resources.persistentVolumes, volume, { signal });
  } catch (error) {
    if (hasReason(error, 'AlreadyExists')) return volume;
    throw error;
  }
}

function checkClaim({ spec }: PersistentVolumeClaim, isShared: boolean): void {
  if (spec?.selector !== undefined) fail('claim.Spec.Selector is not supported');
  if (spec?.volumeMode === 'Block') {
    fail(`${provisionerName} does not support block volume provisioning`);
  }
  if (isShared) return;
  const ours = ['ReadWriteOnce', 'ReadWriteOncePod'];
  if (spec?.accessModes?.every((mode) => ours.includes(mode)) === true) return;
  fail('NodePath only supports ReadWriteOnce and ReadWriteOncePod (1.29+) access modes');
}

/** The chosen node is gone: without the annotation the scheduler chooses again. */
async function askForAnotherNode(client: Client, claim: PersistentVolumeClaim): Promise<void> {
  const { name, namespace, resourceVersion } = claim.metadata;
  const annotations = { [selectedNodeAnnotation]: null };
  const body = { metadata: { resourceVersion, annotations } };
  await client.patch(
    resources.persistentVolumeClaims,
    name,
    { type: 'merge', body },
    { namespace },
  );
}

function fail(text: string): never {
  throw new K3tsError('LocalPathProvisioning', text);
}
