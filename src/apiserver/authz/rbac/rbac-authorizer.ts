import type { PolicyRule } from '#schema/types.ts';

import type { ObjectReader } from '../object-reader.ts';
import { memoryAuthorizer, noOpinion, undecided } from '../verdict.ts';
import type { MemoryAuthorizer, UserRules } from '../verdict.ts';
import { RoleIndex } from './role-index.ts';
import type { Grant } from './role-index.ts';
import { rulesAllow } from './rules.ts';

export interface RbacAuthorizer extends MemoryAuthorizer {
  /** The rules of a role that a binding names; undefined when it does not exist. */
  roleRules(kind: string, name: string, namespace: string): readonly PolicyRule[] | undefined;
  close(): void;
}

/**
 * Role-based access control: no opinion, or allowed with the binding that did it. Reads roles and
 * bindings from the reader as they change.
 */
export function createRbacAuthorizer(options: { reader: ObjectReader }): RbacAuthorizer {
  const index = new RoleIndex(options);

  const authorizer = memoryAuthorizer({
    decide(request) {
      let errors: Set<string> | undefined;
      let by: Grant | undefined;
      index.visit(request.user, request.resource?.namespace ?? '', (grant) => {
        const rules = index.rulesOf(grant);
        if (rules === undefined) {
          (errors ??= new Set<string>()).add(missingRole(grant));
          return false;
        }
        if (!rulesAllow(rules, request)) return false;
        by = grant;
        return true;
      });
      if (by !== undefined) {
        return { decision: 'allow', reason: `RBAC: allowed by ${by.description}` };
      }
      return errors === undefined ? noOpinion : undecided(`RBAC: ${aggregate([...errors])}`);
    },
    rulesFor(user, namespace): UserRules {
      const rules: PolicyRule[] = [];
      const errors = new Set<string>();
      index.visit(user, namespace, (grant) => {
        const found = index.rulesOf(grant);
        if (found === undefined) errors.add(missingRole(grant));
        else rules.push(...found.source);
        return false;
      });
      return { rules, errors: [...errors], incomplete: false };
    },
  });
  return {
    ...authorizer,
    roleRules: (roleKind, roleName, namespace) =>
      index.rulesOf({ roleKind, roleName, namespace })?.source,
    close: () => index.close(),
  };
}

/** Several texts the way upstream prints an aggregate. */
export function aggregate(errors: readonly string[]): string {
  return errors.length === 1 ? (errors[0] ?? '') : `[${errors.join(', ')}]`;
}

function missingRole(grant: Grant): string {
  return `${grant.roleKind.toLowerCase()}.rbac.authorization.k8s.io ${JSON.stringify(grant.roleName)} not found`;
}
