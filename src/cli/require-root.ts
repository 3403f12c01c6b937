import { K3tsError } from '#base/errors.ts';

/** Refuses a user who cannot make mounts, networks and containers. */
export function requireRoot(command: string): void {
  if (process.getuid?.() !== 0) {
    throw new K3tsError('Usage', `must run as root: try "sudo k3ts ${command}"`);
  }
}
