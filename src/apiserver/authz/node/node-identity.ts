import type { UserInfo } from '../../request.ts';

const prefix = 'system:node:';
const nodesGroup = 'system:nodes';

/**
 * The node that speaks: undefined for everybody else, empty when it cannot be told which. A node
 * is a user system:node:<name> in the group system:nodes.
 */
export function nodeNameOf(user: UserInfo): string | undefined {
  if (!user.name.startsWith(prefix) || !user.groups.includes(nodesGroup)) return undefined;
  return user.name.slice(prefix.length);
}
