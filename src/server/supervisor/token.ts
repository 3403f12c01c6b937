import { K3tsError } from '#base/errors.ts';
import type { SupervisorRoute } from './router.ts';

interface RotateRequest {
  readonly newToken?: unknown;
}

/**
 * The route behind `k3ts token rotate`: the new token holds when the answer comes. Nodes that have
 * joined go on with their certificates; what joins from now on needs the new one. One at a time.
 */
export function tokenRoutes(options: {
  /** Takes the new token, or makes one for an empty text. */
  rotate: (newToken: string) => Promise<void>;
}): SupervisorRoute[] {
  let last: Promise<unknown> = Promise.resolve();
  return [
    {
      path: '/v1-k3s/token',
      methods: ['PUT'],
      access: 'server',
      handle: async ({ body }) => {
        const newToken = readNewToken(body);
        const change = last.then(() => options.rotate(newToken));
        last = change.catch(() => undefined);
        await change;
        return { body: '' };
      },
    },
  ];
}

function readNewToken(body: Buffer): string {
  let request: RotateRequest | null;
  try {
    request = JSON.parse(body.toString()) as RotateRequest | null;
  } catch (error) {
    throw new K3tsError('BadRequest', 'the body is no JSON', { cause: error });
  }
  const newToken = request?.newToken ?? '';
  if (typeof newToken !== 'string') throw new K3tsError('BadRequest', 'newToken must be a text');
  return newToken;
}
