import type { Volume, VolumeProjection } from '#schema/types.ts';

interface PlacedPath {
  readonly path: string;
  readonly source: string;
}

/** Files of one volume that would be written over each other. */
export function overlapWarnings({ name, ...volume }: Volume): string[] {
  const { configMap, secret, downwardAPI, projected } = volume;
  const paths = (items: readonly { path: string }[] | undefined): PlacedPath[] =>
    (items ?? []).map(({ path }) => ({ path: clean(path), source: '' }));
  const plain = (what: string, items: readonly { path: string }[] | undefined): string[] =>
    overlaps(paths(items)).map(
      ([a, b]) => `volume "${name}" (${what}): overlapping paths: "${a.path}" with "${b.path}"`,
    );
  if (configMap !== undefined) {
    return plain(`ConfigMap "${configMap.name ?? ''}"`, configMap.items);
  }
  if (secret !== undefined) return plain(`Secret "${secret.secretName ?? ''}"`, secret.items);
  if (downwardAPI !== undefined) return plain('DownwardAPI', downwardAPI.items);
  if (projected === undefined) return [];
  const lines: string[] = [];
  const all: PlacedPath[] = [];
  for (const source of projected.sources ?? []) {
    const placed = projectedPaths(source);
    if (placed === undefined) {
      lines.push(`volume "${name}" (Projected) has no sources provided`);
      continue;
    }
    for (const one of placed) {
      for (const before of all) {
        if (!overlap(one.path, before.path)) continue;
        const [a, b] = [show(one), show(before)];
        lines.push(`volume "${name}" (Projected): overlapping paths: ${a} with ${b}`);
      }
    }
    all.push(...placed);
  }
  return lines;
}

function show({ path, source }: PlacedPath): string {
  return `"${path}" (${source})`;
}

function clean(path: string): string {
  return path
    .split('/')
    .filter((part) => part !== '' && part !== '.')
    .join('/');
}

/** The paths of one source; undefined when it is none. */
function projectedPaths(source: VolumeProjection): PlacedPath[] | undefined {
  const { configMap, secret, downwardAPI, serviceAccountToken } = source;
  const { clusterTrustBundle, podCertificate } = source;
  const each = (what: string, items: readonly { path: string }[] | undefined): PlacedPath[] =>
    (items ?? []).map(({ path }) => ({ path: clean(path), source: what }));
  if (secret !== undefined) return each(`Secret "${secret.name ?? ''}"`, secret.items);
  if (configMap !== undefined) return each(`ConfigMap "${configMap.name ?? ''}"`, configMap.items);
  if (downwardAPI !== undefined) return each('DownwardAPI', downwardAPI.items);
  if (serviceAccountToken !== undefined) return each('ServiceAccountToken', [serviceAccountToken]);
  if (clusterTrustBundle !== undefined) {
    const what = clusterTrustBundle.name ?? clusterTrustBundle.signerName ?? '';
    return each(`ClusterTrustBundle "${what}"`, [clusterTrustBundle]);
  }
  if (podCertificate === undefined) return undefined;
  const { certificateChainPath, keyPath, credentialBundlePath } = podCertificate;
  const parts = {
    chain: certificateChainPath,
    key: keyPath,
    'credential bundle': credentialBundlePath,
  };
  return Object.entries(parts).flatMap(([part, path]) =>
    path === undefined || path === '' ? [] : each(`PodCertificate ${part}`, [{ path }]),
  );
}

function overlap(a: string, b: string): boolean {
  return a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);
}

function overlaps(paths: readonly PlacedPath[]): (readonly [PlacedPath, PlacedPath])[] {
  return paths.flatMap((one, index) =>
    paths
      .slice(0, index)
      .filter((before) => overlap(one.path, before.path))
      .map((before) => [one, before] as const),
  );
}
