import { KubeletRequestError } from '../request-error.ts';
import type { KubeletView } from '../server-options.ts';

const checks: Readonly<Record<string, (kubelet: KubeletView) => boolean>> = {
  ping: () => true,
  log: () => true,
  syncloop: (kubelet) => kubelet.isSyncing?.() ?? true,
};

/** `ok` for all checks or the named one; throws 404 for an unknown one, 500 for one that fails. */
export function healthText(kubelet: KubeletView, name: string | undefined): string {
  const known = name === undefined || Object.hasOwn(checks, name);
  if (!known) throw new KubeletRequestError(404, '404 page not found\n');
  const wanted = Object.entries(checks).filter(([check]) => name === undefined || check === name);
  const results = wanted.map(([check, run]) => ({ check, isGood: run(kubelet) }));
  if (results.every(({ isGood }) => isGood)) return 'ok';
  if (name !== undefined) {
    const reason = 'sync Loop took longer than expected';
    throw new KubeletRequestError(500, `internal server error: ${reason}\n`);
  }
  const lines = results.map(({ check, isGood }) =>
    isGood ? `[+]${check} ok` : `[-]${check} failed: reason withheld`,
  );
  throw new KubeletRequestError(500, `${lines.join('\n')}\nhealthz check failed\n`);
}
