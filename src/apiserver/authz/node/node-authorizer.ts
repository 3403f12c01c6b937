import type { PolicyRule } from '#schema/types.ts';

import { exactField } from '../../exact-field.ts';
import type { UserInfo } from '../../request.ts';
import type { AuthorizationRequest, ResourceAttributes } from '../authorizer.ts';
import type { ObjectReader } from '../object-reader.ts';
import { compileRules, rulesAllow } from '../rbac/rules.ts';
import { allowed, memoryAuthorizer, noOpinion, undecided } from '../verdict.ts';
import type { MemoryAuthorizer, Verdict } from '../verdict.ts';
import { NodeGraph } from './node-graph.ts';
import type { RelatedKind } from './node-graph.ts';
import { nodeNameOf } from './node-identity.ts';

const nodeLeaseNamespace = 'kube-node-lease';
const reading: readonly string[] = ['get', 'list', 'watch'];
const ownObjectVerbs: readonly string[] = ['get', 'create', 'update', 'patch', 'delete'];

export interface NodeAuthorizer extends MemoryAuthorizer {
  close(): void;
}

/**
 * What kubelets may do: their own Node, pods bound to them and what those pods refer to; for all
 * other resources the fixed rules of the role system:node. Reasons are upstream's.
 */
export function createNodeAuthorizer(options: {
  reader: ObjectReader;
  /** Rules of the cluster role system:node as shipped; changes of the stored role do not count. */
  nodeRules: readonly PolicyRule[];
}): NodeAuthorizer {
  const graph = new NodeGraph(options);
  const nodeRules = compileRules(options.nodeRules);

  function decide(request: AuthorizationRequest): Verdict {
    const node = nodeNameOf(request.user);
    if (node === undefined) return noOpinion;
    if (node === '') return undecided(`unknown node for user ${JSON.stringify(request.user.name)}`);
    const decideFor = request.resource === undefined ? undefined : specialOf(request.resource);
    if (decideFor !== undefined && request.resource !== undefined) {
      return decideFor(graph, node, request.resource);
    }
    return rulesAllow(nodeRules, request) ? allowed : noOpinion;
  }

  const authorizer = memoryAuthorizer({
    decide,
    rulesFor(user: UserInfo) {
      if (nodeNameOf(user) === undefined) return { rules: [], errors: [], incomplete: false };
      const errors = ['node authorizer does not support user rule resolution'];
      return { rules: [], errors, incomplete: true };
    },
  });
  return { ...authorizer, close: () => graph.close() };
}

type Special = (graph: NodeGraph, node: string, asked: ResourceAttributes) => Verdict;

/** Resources that are not left to the fixed rules, by `group/resource`. */
const specials: Readonly<Record<string, Special>> = {
  '/secrets': readRelated('secret'),
  '/configmaps': readRelated('configmap'),
  '/persistentvolumeclaims': decideClaim,
  '/persistentvolumes': getIf((graph, node, asked) => graph.usesVolume(node, asked.name)),
  'resource.k8s.io/resourceclaims': getIf((graph, node, asked) =>
    graph.refersTo(node, 'resourceclaim', asked.namespace, asked.name),
  ),
  'storage.k8s.io/volumeattachments': getIf((graph, node, asked) =>
    graph.ownsByField(node, 'volumeattachments', asked.name),
  ),
  '/serviceaccounts': decideServiceAccount,
  'coordination.k8s.io/leases': decideLease,
  'storage.k8s.io/csinodes': decideCsiNode,
  'resource.k8s.io/resourceslices': decideResourceSlice,
  '/nodes': decideNode,
  '/pods': decidePod,
};

function specialOf(asked: ResourceAttributes): Special | undefined {
  return specials[`${asked.group}/${asked.resource}`];
}

function unrelated(node: string): Verdict {
  return undecided(`no relationship found between node '${node}' and this object`);
}

function related(isRelated: boolean, node: string, asked: ResourceAttributes): Verdict {
  if (asked.name === '') return undecided('No Object name found');
  return isRelated ? allowed : unrelated(node);
}

function readRelated(kind: RelatedKind): Special {
  return (graph, node, asked) => {
    if (!reading.includes(asked.verb)) return undecided('can only read resources of this type');
    if (asked.subresource !== '') return undecided('cannot read subresource');
    if (asked.namespace === '') return undecided('can only read namespaced object of this type');
    return related(graph.refersTo(node, kind, asked.namespace, asked.name), node, asked);
  };
}

function getIf(
  isRelated: (graph: NodeGraph, node: string, asked: ResourceAttributes) => boolean,
): Special {
  return (graph, node, asked) => {
    if (asked.verb !== 'get') return undecided('can only get individual resources of this type');
    if (asked.subresource !== '') return undecided('cannot get subresource');
    return related(isRelated(graph, node, asked), node, asked);
  };
}

function decideClaim(graph: NodeGraph, node: string, asked: ResourceAttributes): Verdict {
  const uses = (): boolean =>
    graph.refersTo(node, 'persistentvolumeclaim', asked.namespace, asked.name);
  if (asked.subresource !== 'status') return getIf(uses)(graph, node, asked);
  if (asked.verb !== 'update' && asked.verb !== 'patch') {
    return undecided('can only get/update/patch this type');
  }
  return related(uses(), node, asked);
}

function decideServiceAccount(graph: NodeGraph, node: string, asked: ResourceAttributes): Verdict {
  const uses = graph.refersTo(node, 'serviceaccount', asked.namespace, asked.name);
  if (asked.verb === 'get' && asked.subresource === '') return related(uses, node, asked);
  if (asked.verb !== 'create' || asked.name === '') {
    return undecided('can only create tokens for individual service accounts');
  }
  if (asked.subresource !== 'token') {
    return undecided('can only create token subresource of serviceaccount');
  }
  return uses ? allowed : unrelated(node);
}

function decideLease(_graph: NodeGraph, node: string, asked: ResourceAttributes): Verdict {
  if (!ownObjectVerbs.includes(asked.verb)) {
    return undecided('can only get, create, update, patch, or delete a node lease');
  }
  if (asked.namespace !== nodeLeaseNamespace) {
    return undecided(`can only access leases in the "${nodeLeaseNamespace}" system namespace`);
  }
  if (asked.verb !== 'create' && asked.name !== node) {
    return undecided('can only access node lease with the same name as the requesting node');
  }
  return allowed;
}

function decideCsiNode(_graph: NodeGraph, node: string, asked: ResourceAttributes): Verdict {
  if (!ownObjectVerbs.includes(asked.verb)) {
    return undecided('can only get, create, update, patch, or delete a CSINode');
  }
  if (asked.subresource !== '') return undecided('cannot authorize CSINode subresources');
  if (asked.verb !== 'create' && asked.name !== node) {
    return undecided('can only access CSINode with the same name as the requesting node');
  }
  return allowed;
}

function decideResourceSlice(graph: NodeGraph, node: string, asked: ResourceAttributes): Verdict {
  if (asked.subresource !== '') return undecided('cannot authorize ResourceSlice subresources');
  switch (asked.verb) {
    case 'create':
      return allowed;
    case 'get':
    case 'update':
    case 'patch':
    case 'delete':
      return related(graph.ownsByField(node, 'resourceslices', asked.name), node, asked);
    case 'list':
    case 'watch':
    case 'deletecollection':
      if (selects(asked, 'spec.nodeName', node)) return allowed;
      return undecided(
        'can only list/watch/deletecollection resourceslices with nodeName field selector',
      );
    default:
      return undecided(
        'only the following verbs are allowed for a ResourceSlice: get, watch, list, create, update, patch, delete, deletecollection',
      );
  }
}

function decideNode(_graph: NodeGraph, node: string, asked: ResourceAttributes): Verdict {
  const isWrite = asked.verb === 'update' || asked.verb === 'patch';
  if (asked.subresource === 'status') return isWrite ? allowed : noOpinion;
  if (asked.subresource !== '') return noOpinion;
  // Which Node is written is NodeRestriction's to check: the name may be in the body.
  if (isWrite || asked.verb === 'create') return allowed;
  if (!reading.includes(asked.verb)) return noOpinion;
  if (asked.name === node || selects(asked, 'metadata.name', node)) return allowed;
  if (asked.name === '') {
    return undecided(`node '${node}' cannot read all nodes, only its own Node object`);
  }
  return undecided(`node '${node}' cannot read '${asked.name}', only its own Node object`);
}

function decidePod(graph: NodeGraph, node: string, asked: ResourceAttributes): Verdict {
  const { verb, subresource } = asked;
  if (subresource === 'status') {
    return verb === 'update' || verb === 'patch' ? allowed : noOpinion;
  }
  if (subresource === 'eviction') return verb === 'create' ? allowed : noOpinion;
  if (subresource !== '') return noOpinion;
  const runs = (): boolean => graph.runsPod(node, asked.namespace, asked.name);
  switch (verb) {
    case 'get':
      return related(runs(), node, asked);
    case 'list':
    case 'watch':
      if (selects(asked, 'spec.nodeName', node)) return allowed;
      if (asked.name !== '') return related(runs(), node, asked);
      return undecided('can only list/watch pods with spec.nodeName field selector');
    case 'create':
    case 'delete':
      return allowed;
    default:
      return noOpinion;
  }
}

/** Whether the field selector of the request demands `field` to be `value`. */
function selects(asked: ResourceAttributes, field: string, value: string): boolean {
  return asked.fieldSelector !== undefined && exactField(asked.fieldSelector, field) === value;
}
