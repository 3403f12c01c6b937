import { resources } from '#client/mod.ts';
import type { GroupVersionResource } from '#schema/mod.ts';
import type {
  ClusterRole,
  ClusterRoleBinding,
  Role,
  RoleBinding,
  RbacV1Subject as Subject,
} from '#schema/types.ts';

import type { UserInfo } from '../../request.ts';
import type { ObjectReader } from '../object-reader.ts';
import { compileRules } from './rules.ts';
import type { CompiledRules } from './rules.ts';

/** One subject of one binding. */
export interface Grant {
  /** `ClusterRoleBinding "b" of ClusterRole "r" to User "u"`: upstream's words. */
  readonly description: string;
  readonly roleKind: string;
  readonly roleName: string;
  /** Empty for a grant at the cluster scope. */
  readonly namespace: string;
}

/** Grants by subject: `u:<user>` or `g:<group>`. */
type Grants = Map<string, Grant[]>;

/** Roles compiled, bindings indexed by subject; follows the reader until `close`. */
export class RoleIndex {
  #clusterRoles = new Map<string, CompiledRules>();
  #roles = new Map<string, CompiledRules>();
  #clusterGrants: Grants = new Map();
  #namespaceGrants = new Map<string, Grants>();
  #removers: (() => void)[];

  constructor(options: { reader: ObjectReader }) {
    const { reader } = options;
    this.#removers = [
      this.#followRoles(reader, resources.clusterRoles, this.#clusterRoles),
      this.#followRoles(reader, resources.roles, this.#roles),
      reader.onChange<ClusterRoleBinding>(resources.clusterRoleBindings, (change) => {
        this.#replaceGrants(change.previous, change.next, '', () => this.#clusterGrants);
      }),
      reader.onChange<RoleBinding>(resources.roleBindings, (change) => {
        const namespace = (change.next ?? change.previous)?.metadata.namespace ?? '';
        this.#replaceGrants(change.previous, change.next, namespace, () => {
          let grants = this.#namespaceGrants.get(namespace);
          if (grants === undefined) {
            this.#namespaceGrants.set(namespace, (grants = new Map<string, Grant[]>()));
          }
          return grants;
        });
        if (this.#namespaceGrants.get(namespace)?.size === 0) {
          this.#namespaceGrants.delete(namespace);
        }
      }),
    ];
  }

  /** Rules that a grant gives, or undefined when its role does not exist. */
  rulesOf(grant: Pick<Grant, 'roleKind' | 'roleName' | 'namespace'>): CompiledRules | undefined {
    if (grant.roleKind === 'ClusterRole') return this.#clusterRoles.get(grant.roleName);
    return this.#roles.get(`${grant.namespace}/${grant.roleName}`);
  }

  /**
   * Calls `visit` for each grant of the user that counts in the namespace, cluster-wide ones
   * first, until it returns true; says whether it did.
   */
  visit(user: UserInfo, namespace: string, visit: (grant: Grant) => boolean): boolean {
    if (visitGrants(this.#clusterGrants, user, visit)) return true;
    if (namespace === '') return false;
    const grants = this.#namespaceGrants.get(namespace);
    return grants !== undefined && visitGrants(grants, user, visit);
  }

  close(): void {
    for (const remove of this.#removers) remove();
    this.#removers = [];
  }

  #followRoles(
    reader: ObjectReader,
    resource: GroupVersionResource,
    roles: Map<string, CompiledRules>,
  ): () => void {
    return reader.onChange<Role | ClusterRole>(resource, ({ next, previous }) => {
      const { name, namespace } = (next ?? previous)?.metadata ?? { name: '' };
      const key = resource === resources.roles ? `${namespace ?? ''}/${name}` : name;
      if (next === undefined) roles.delete(key);
      else roles.set(key, compileRules(next.rules ?? []));
    });
  }

  #replaceGrants(
    previous: RoleBinding | ClusterRoleBinding | undefined,
    next: RoleBinding | ClusterRoleBinding | undefined,
    namespace: string,
    grantsOf: () => Grants,
  ): void {
    const grants = grantsOf();
    for (const subject of previous?.subjects ?? []) {
      const key = subjectKey(subject, namespace);
      if (key === undefined || previous === undefined) continue;
      const description = describe(previous, subject, namespace);
      const kept = grants.get(key)?.filter((grant) => grant.description !== description) ?? [];
      if (kept.length === 0) grants.delete(key);
      else grants.set(key, kept);
    }
    for (const subject of next?.subjects ?? []) {
      const key = subjectKey(subject, namespace);
      if (key === undefined || next === undefined) continue;
      const grant: Grant = {
        description: describe(next, subject, namespace),
        roleKind: next.roleRef.kind,
        roleName: next.roleRef.name,
        namespace,
      };
      grants.set(key, [...(grants.get(key) ?? []), grant]);
    }
  }
}

function visitGrants(grants: Grants, user: UserInfo, visit: (grant: Grant) => boolean): boolean {
  const ofUser = grants.get(`u:${user.name}`);
  if (ofUser?.some(visit) === true) return true;
  for (const group of user.groups) {
    const ofGroup = grants.get(`g:${group}`);
    if (ofGroup?.some(visit) === true) return true;
  }
  return false;
}

/** Undefined for a subject that can be nobody. */
function subjectKey(subject: Subject, namespace: string): string | undefined {
  switch (subject.kind) {
    case 'User':
      return `u:${subject.name}`;
    case 'Group':
      return `g:${subject.name}`;
    case 'ServiceAccount': {
      const own = subject.namespace ?? namespace;
      return own === '' ? undefined : `u:system:serviceaccount:${own}:${subject.name}`;
    }
    default:
      return undefined;
  }
}

function describe(
  binding: RoleBinding | ClusterRoleBinding,
  subject: Subject,
  namespace: string,
): string {
  const { name } = binding.metadata;
  const ofBinding =
    namespace === ''
      ? `ClusterRoleBinding ${JSON.stringify(name)}`
      : `RoleBinding ${JSON.stringify(`${name}/${namespace}`)}`;
  const ofRole = `${binding.roleRef.kind} ${JSON.stringify(binding.roleRef.name)}`;
  const who =
    subject.kind === 'ServiceAccount'
      ? `${subject.name}/${subject.namespace ?? namespace}`
      : subject.name;
  return `${ofBinding} of ${ofRole} to ${subject.kind} ${JSON.stringify(who)}`;
}
