import { createHash } from 'node:crypto';
import { pack } from 'tar-stream';

/**
 * A file of an image layer. Owner is root and the time 1970, so that equal input gives equal bytes.
 */
export interface ImageEntry {
  /** Relative to the root, without a leading slash. */
  path: string;
  type?: 'file' | 'directory' | 'symlink' | undefined;
  mode?: number | undefined;
  content?: Uint8Array | undefined;
  /** Of a symlink. */
  target?: string | undefined;
  uid?: number | undefined;
  gid?: number | undefined;
}

/** The part of an OCI image config that says how to run it; names as in the OCI specification. */
export interface ImageConfig {
  Entrypoint?: readonly string[] | undefined;
  Cmd?: readonly string[] | undefined;
  Env?: readonly string[] | undefined;
  User?: string | undefined;
  WorkingDir?: string | undefined;
  ExposedPorts?: Readonly<Record<string, object>> | undefined;
  Labels?: Readonly<Record<string, string>> | undefined;
  StopSignal?: string | undefined;
  Volumes?: Readonly<Record<string, object>> | undefined;
}

export interface ImageSpec {
  /** The complete reference: `docker.io/rancher/mirrored-pause:3.6`. */
  name: string;
  /** As Go and OCI call it: `amd64`, `arm64`. */
  architecture: string;
  /** Layers from the bottom up. */
  layers: readonly (readonly ImageEntry[])[];
  config: ImageConfig;
}

interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

const mediaTypes = {
  layer: 'application/vnd.oci.image.layer.v1.tar',
  config: 'application/vnd.oci.image.config.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  index: 'application/vnd.oci.image.index.v1+json',
} as const;

const epoch = new Date(0);

/** Packs one image as an OCI layout in a tar, which `ctr images import` and docker load take. */
export async function packImage(spec: ImageSpec): Promise<Buffer> {
  const blobs = new Map<string, Buffer>();
  const add = (mediaType: string, content: Buffer): Descriptor => {
    const hex = createHash('sha256').update(content).digest('hex');
    blobs.set(hex, content);
    return { mediaType, digest: `sha256:${hex}`, size: content.length };
  };
  const layers: Descriptor[] = [];
  for (const entries of spec.layers) layers.push(add(mediaTypes.layer, await packEntries(entries)));
  const config = add(
    mediaTypes.config,
    asJson({
      created: epoch.toISOString(),
      architecture: spec.architecture,
      os: 'linux',
      config: spec.config,
      rootfs: { type: 'layers', diff_ids: layers.map((layer) => layer.digest) },
      history: layers.map(() => ({ created: epoch.toISOString(), created_by: 'k3ts' })),
    }),
  );
  const manifest = add(
    mediaTypes.manifest,
    asJson({ schemaVersion: 2, mediaType: mediaTypes.manifest, config, layers }),
  );
  const index = {
    schemaVersion: 2,
    mediaType: mediaTypes.index,
    manifests: [
      {
        ...manifest,
        platform: { architecture: spec.architecture, os: 'linux' },
        annotations: {
          'io.containerd.image.name': spec.name,
          'org.opencontainers.image.ref.name': spec.name.slice(spec.name.lastIndexOf(':') + 1),
        },
      },
    ],
  };
  const blobPath = (descriptor: Descriptor): string =>
    `blobs/${descriptor.digest.replace(':', '/')}`;
  // What docker load reads; containerd prefers index.json.
  const dockerManifest = [
    { Config: blobPath(config), RepoTags: [spec.name], Layers: layers.map(blobPath) },
  ];
  return await packEntries([
    { path: 'oci-layout', content: asJson({ imageLayoutVersion: '1.0.0' }) },
    { path: 'index.json', content: asJson(index) },
    { path: 'manifest.json', content: asJson(dockerManifest) },
    ...[...blobs].map(([hex, content]) => ({ path: `blobs/sha256/${hex}`, content })),
  ]);
}

function asJson(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** A tar of these entries; parent directories have to be listed by the caller. */
export async function packEntries(entries: readonly ImageEntry[]): Promise<Buffer> {
  const archive = pack();
  for (const entry of entries) {
    const { path, type = 'file', uid = 0, gid = 0, content = new Uint8Array() } = entry;
    const common = { mtime: epoch, uid, gid };
    if (type === 'directory') {
      archive.entry({ ...common, name: `${path}/`, type, mode: entry.mode ?? 0o755 });
    } else if (type === 'symlink') {
      archive.entry({ ...common, name: path, type, mode: 0o777, linkname: entry.target ?? '' });
    } else {
      const header = { ...common, name: path, type, mode: entry.mode ?? 0o644 };
      archive.entry(header, Buffer.from(content));
    }
  }
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}
