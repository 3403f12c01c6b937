import { hasReason } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import { resources } from '#client/mod.ts';
import type { Client } from '#client/mod.ts';
import { hashNodePassword, verifyNodePassword } from '#pki/mod.ts';
import type { Secret } from '#schema/types.ts';
import { statusError } from './router.ts';

const namespace = 'kube-system';

/** Checks that a node name belongs to the machine that used it first. */
export interface NodePasswords {
  /** Throws Forbidden when the name was taken with another password. */
  verify(nodeName: string, password: string): Promise<void>;
}

/**
 * Keeps a hash of each node's password in the Secret kube-system/<node>.node-password.k3s, as k3s
 * does. The first password seen for a name is the right one; when it cannot be written the node is
 * let in, so that a full datastore does not keep nodes out.
 */
export function createNodePasswords(options: {
  client: Client;
  random: Random;
  log: Logger;
}): NodePasswords {
  const { client, random, log } = options;
  const verified = new Map<string, string>();

  const store = async (name: string, nodeName: string, password: string): Promise<void> => {
    const hash = await hashNodePassword(password, random.bytes(8));
    const secret: Secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name, namespace },
      immutable: true,
      data: { hash: Buffer.from(hash).toString('base64') },
    };
    try {
      await client.create(resources.secrets, secret, { namespace });
    } catch (error) {
      if (hasReason(error, 'AlreadyExists')) throw error;
      log.warning('Cannot store node password; the node is let in', {
        node: nodeName,
        error: messageOf(error),
      });
    }
  };

  return {
    async verify(nodeName, password) {
      if (verified.get(nodeName) === password) return;
      const name = `${nodeName.toLowerCase()}.node-password.k3s`;
      let secret: Secret | undefined;
      try {
        secret = await client.get<Secret>(resources.secrets, name, { namespace });
      } catch (error) {
        if (!hasReason(error, 'NotFound')) throw error;
      }
      if (secret === undefined) {
        await store(name, nodeName, password);
      } else {
        const hash = Buffer.from(secret.data?.['hash'] ?? '', 'base64').toString();
        if (!(await verifyNodePassword(password, hash))) {
          throw statusError(
            403,
            'Forbidden',
            `unable to verify password for node ${nodeName}: hash does not match: ` +
              `if the machine was set up anew, delete the secret ${namespace}/${name}`,
          );
        }
      }
      verified.set(nodeName, password);
    },
  };
}
