import { resources } from '#client/mod.ts';
import type { CertificateSigningRequest, Node, Pod } from '#schema/types.ts';

import { notFound } from '../../api-errors.ts';
import { nodeNameOf } from '../../authz/node/node-identity.ts';
import type { Authorizer } from '../../authz/authorizer.ts';
import type { ObjectReader } from '../../authz/object-reader.ts';
import { requestCommonName } from '../certificates/request-subject.ts';
import { refuse } from '../match.ts';
import type { AdmissionAttributes, AdmissionPlugin } from '../plugin.ts';
import { sameJson } from '../same-json.ts';
import { forbiddenNodeLabels } from './node-labels.ts';
import { mirrorPodRefusal, podStatusRefusal } from './node-pods.ts';
import { refusedAudience } from './token-audience.ts';

/** Checks one kind of object that a node writes; a returned text refuses. */
type Check = (node: string, attributes: AdmissionAttributes) => string | undefined;

/**
 * What a kubelet may write, beyond what the node authorizer can see: only its own Node, pods that
 * run on it, tokens for those pods, its own lease and CSINode. Texts are upstream's.
 */
export function createNodeRestriction(options: {
  reader: ObjectReader;
  /** Asked for audiences of tokens that no volume needs; without it all are allowed. */
  authorizer?: Authorizer;
}): AdmissionPlugin {
  const { reader, authorizer } = options;
  const checks = checksWith(reader);
  return {
    name: 'NodeRestriction',
    handles: (attributes) =>
      attributes.operation !== 'CONNECT' && nodeNameOf(attributes.context.user) !== undefined,
    mutate(attributes) {
      const { user, resource } = attributes.context;
      const node = nodeNameOf(user);
      if (node === undefined) return undefined;
      if (node === '') {
        throw refuse(attributes, `could not determine node from user ${JSON.stringify(user.name)}`);
      }
      const why = checks[`${resource.group}/${resource.resource}`]?.(node, attributes);
      if (why !== undefined) throw refuse(attributes, why);
      if (authorizer === undefined || attributes.subresource !== 'token') return undefined;
      return refusedAudience({ reader, authorizer, attributes }).then((audience) => {
        if (audience !== undefined) throw refuse(attributes, audience);
      });
    },
  };
}

function checksWith(reader: ObjectReader): Readonly<Record<string, Check>> {
  return {
    '/pods': (node, attributes) => checkPod(reader, node, attributes),
    '/nodes': checkNode,
    '/persistentvolumeclaims': checkClaim,
    '/serviceaccounts': (node, attributes) => checkToken(reader, node, attributes),
    'coordination.k8s.io/leases': checkLease,
    'storage.k8s.io/csinodes': checkCsiNode,
    'resource.k8s.io/resourceslices': checkResourceSlice,
    'certificates.k8s.io/certificatesigningrequests': checkSigningRequest,
  };
}

/** Throws 404 as a lister of upstream words it, with the singular. */
function storedPod(reader: ObjectReader, namespace: string, name: string): Pod {
  const pod = reader.get<Pod>(resources.pods, namespace, name);
  if (pod === undefined) throw notFound({ group: '', resource: 'pod' }, name);
  return pod;
}

function checkPod(
  reader: ObjectReader,
  node: string,
  attributes: AdmissionAttributes,
): string | undefined {
  const { operation, subresource, namespace, name } = attributes;
  if (subresource === 'status') {
    if (operation !== 'UPDATE') return `unexpected operation "${operation}"`;
    return podStatusRefusal(node, attributes);
  }
  if (subresource === 'eviction') {
    if (operation !== 'CREATE') return `unexpected operation ${operation}`;
    const podName = name === '' ? (attributes.object?.metadata.name ?? '') : name;
    if (podName === '') return 'could not determine pod from request data';
    return storedPod(reader, namespace, podName).spec?.nodeName === node
      ? undefined
      : `node ${node} can only evict pods with spec.nodeName set to itself`;
  }
  if (subresource !== '') {
    return `unexpected pod subresource "${subresource}", only 'status' and 'eviction' are allowed`;
  }
  if (operation === 'CREATE') {
    return mirrorPodRefusal(node, attributes, () => reader.get<Node>(resources.nodes, '', node));
  }
  if (operation === 'DELETE') {
    return storedPod(reader, namespace, name).spec?.nodeName === node
      ? undefined
      : `node "${node}" can only delete pods with spec.nodeName set to itself`;
  }
  return `unexpected operation "${operation}", node "${node}" can only create and delete mirror pods`;
}

function checkNode(node: string, attributes: AdmissionAttributes): string | undefined {
  const { operation, object, oldObject } = attributes;
  const name = attributes.name === '' ? (object?.metadata.name ?? '') : attributes.name;
  if (name !== node) return `node "${node}" is not allowed to modify node "${name}"`;
  const own = object as unknown as Node;
  if (operation === 'CREATE') {
    const labels = forbiddenNodeLabels(own.metadata.labels, undefined);
    if (labels.length === 0) return undefined;
    return `node "${node}" is not allowed to set the following labels: ${labels.join(', ')}`;
  }
  if (operation !== 'UPDATE') return undefined;
  const old = oldObject as unknown as Node;
  if (!sameJson(own.metadata.ownerReferences ?? [], old.metadata.ownerReferences ?? [])) {
    return `node "${node}" is not allowed to modify ownerReferences`;
  }
  if (!sameJson(own.spec?.taints ?? [], old.spec?.taints ?? [])) {
    return `node "${node}" is not allowed to modify taints`;
  }
  const labels = forbiddenNodeLabels(own.metadata.labels, old.metadata.labels);
  return labels.length === 0 ? undefined : `is not allowed to modify labels: ${labels.join(', ')}`;
}

function checkClaim(node: string, attributes: AdmissionAttributes): string | undefined {
  if (attributes.subresource !== 'status') return 'may only update PVC status';
  if (attributes.operation !== 'UPDATE') return `unexpected operation "${attributes.operation}"`;
  const free = ['capacity', 'conditions', 'allocatedResources', 'allocatedResourceStatuses'];
  const rest = (object: AdmissionAttributes['object']): unknown => {
    const {
      resourceVersion: _version,
      managedFields: _fields,
      ...metadata
    } = {
      ...object?.metadata,
    };
    const status = Object.fromEntries(
      Object.entries(object?.['status'] ?? {}).filter(([key]) => !free.includes(key)),
    );
    return { metadata, spec: object?.['spec'], status };
  };
  if (sameJson(rest(attributes.object), rest(attributes.oldObject))) return undefined;
  return `node "${node}" is not allowed to update fields other than status.quantity and status.conditions`;
}

function checkToken(
  reader: ObjectReader,
  node: string,
  attributes: AdmissionAttributes,
): string | undefined {
  if (attributes.operation !== 'CREATE' || attributes.subresource !== 'token') return undefined;
  const spec = attributes.object?.['spec'] as
    | { boundObjectRef?: { apiVersion?: string; kind?: string; name?: string; uid?: string } }
    | undefined;
  const reference = spec?.boundObjectRef;
  const { name = '', uid = '' } = reference ?? {};
  if (reference?.apiVersion !== 'v1' || reference.kind !== 'Pod' || name === '') {
    return 'node requested token not bound to a pod';
  }
  if (uid === '') return 'node requested token with a pod binding without a uid';
  const pod = storedPod(reader, attributes.namespace, name);
  if (uid !== pod.metadata.uid) {
    return `the UID in the bound object reference (${uid}) does not match the UID in record. The object might have been deleted and then recreated`;
  }
  if (pod.spec?.nodeName !== node) {
    return 'node requested token bound to a pod scheduled on a different node';
  }
  return undefined;
}

function writtenName(attributes: AdmissionAttributes): string | undefined {
  return attributes.operation === 'CREATE' ? attributes.object?.metadata.name : attributes.name;
}

function checkLease(node: string, attributes: AdmissionAttributes): string | undefined {
  if (attributes.namespace !== 'kube-node-lease') {
    return 'can only access leases in the "kube-node-lease" system namespace';
  }
  if (writtenName(attributes) === node) return undefined;
  return 'can only access node lease with the same name as the requesting node';
}

function checkCsiNode(node: string, attributes: AdmissionAttributes): string | undefined {
  if (writtenName(attributes) === node) return undefined;
  return 'can only access CSINode with the same name as the requesting node';
}

/** Updates are the authorizer's: it knows the object that is there. */
function checkResourceSlice(node: string, attributes: AdmissionAttributes): string | undefined {
  const { operation } = attributes;
  if (operation !== 'CREATE' && operation !== 'DELETE') return undefined;
  const object = operation === 'CREATE' ? attributes.object : attributes.oldObject;
  const spec = object?.['spec'] as { nodeName?: string } | undefined;
  if (spec?.nodeName === node) return undefined;
  return `can only ${operation.toLowerCase()} ResourceSlice with the same NodeName as the requesting node`;
}

const nodeSigners: readonly string[] = [
  'kubernetes.io/kubelet-serving',
  'kubernetes.io/kube-apiserver-client-kubelet',
];

/** A node asks for certificates of its own name only. */
function checkSigningRequest(node: string, attributes: AdmissionAttributes): string | undefined {
  if (attributes.operation !== 'CREATE') return undefined;
  const { spec } = attributes.object as unknown as CertificateSigningRequest;
  if (!nodeSigners.includes(spec.signerName)) return undefined;
  let name: string;
  try {
    name = requestCommonName(Buffer.from(spec.request, 'base64').toString('utf8'));
  } catch (error) {
    return `unable to parse csr: ${(error as Error).message}`;
  }
  if (name === `system:node:${node}`) return undefined;
  return `can only create a node CSR with CN=system:node:${node}`;
}
