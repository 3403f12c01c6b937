import { K3tsError } from '#base/errors.ts';
import type { Client } from '#client/mod.ts';

/** Directories of volumes on nodes, whichever node that is. Both may be called again at any time. */
export interface NodeDirectories {
  make(node: string, path: string, signal: AbortSignal): Promise<void>;
  /** Removes the directory with all that is in it. */
  remove(node: string, path: string, signal: AbortSignal): Promise<void>;
}

/** Asks the node's kubelet, through the API server's proxy: `/localVolume?path=…`. */
export function createNodeDirectories(client: Client): NodeDirectories {
  const ask = async (method: string, node: string, path: string, signal: AbortSignal) => {
    const query = new URLSearchParams({ path }).toString();
    const { status, body } = await client.raw({
      method,
      path: `/api/v1/nodes/${encodeURIComponent(node)}/proxy/localVolume?${query}`,
      signal,
    });
    if (status < 300) return;
    throw new K3tsError('NodeDirectory', failureText(body.toString()) || `status ${status}`);
  };
  return {
    make: (node, path, signal) => ask('PUT', node, path, signal),
    remove: (node, path, signal) => ask('DELETE', node, path, signal),
  };
}

/** The API server answers with a Status, the kubelet with text. */
function failureText(body: string): string {
  if (!body.startsWith('{')) return body.trim();
  try {
    return (JSON.parse(body) as { message?: string }).message ?? body;
  } catch {
    return body;
  }
}
