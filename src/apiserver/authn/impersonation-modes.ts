import type { UserInfo } from '../request.ts';
import { parseServiceAccountUser } from './service-account-claims.ts';

/** One way to be allowed to act as somebody else. */
export interface ImpersonationMode {
  /** As in `impersonate-on:<name>:<verb>`; absent for the verb impersonate alone. */
  readonly name?: string | undefined;
  readonly verb: string;
  /** API group of users, groups, service accounts and nodes in the checks. */
  readonly group: string;
  /** The node that is meant, in the modes for nodes: `*` for the user's own. */
  readonly node?: string | undefined;
}

function mode(name: string, node?: string): ImpersonationMode {
  return { name, verb: `impersonate:${name}`, group: 'authentication.k8s.io', node };
}

/**
 * The constrained modes that fit the wanted user, in upstream's order: a service account as the
 * node that it runs on, any node, service accounts, all other users. Nodes and service accounts may
 * only be named: their groups follow from the name.
 */
export function constrainedModes(wanted: UserInfo, user: UserInfo): ImpersonationMode[] {
  const node = nodeOf(wanted.name);
  const account = parseServiceAccountUser(wanted.name);
  if (node === undefined && account === undefined) return [mode('user-info')];
  const { uid, groups, extra } = wanted;
  if (uid !== undefined || groups.length > 0 || extra !== undefined) return [];
  if (node === undefined) return [mode('serviceaccount')];
  const own = user.extra?.['authentication.kubernetes.io/node-name'];
  const isOwn =
    parseServiceAccountUser(user.name) !== undefined && own?.length === 1 && own[0] === node;
  const any = mode('arbitrary-node', node);
  return isOwn ? [mode('associated-node', '*'), any] : [any];
}

/** Why no constrained mode allows this user, whatever the roles say. */
export function constrainedRefusal({ groups, extra = {} }: UserInfo): string | undefined {
  if (groups.includes('')) return 'impersonating the empty string group is not allowed';
  if (groups.includes('system:masters')) {
    return 'impersonating the system:masters group is not allowed';
  }
  for (const [key, values] of Object.entries(extra)) {
    if (!/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?\/.+$/.test(key)) {
      return 'impersonating an invalid key in extra is not allowed';
    }
    if (values.length === 0 || values.includes('')) {
      return 'impersonating the empty string value in extra is not allowed';
    }
  }
  return undefined;
}

function nodeOf(name: string): string | undefined {
  const match = /^system:node:([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?)$/.exec(name);
  return match?.[1];
}
