import assert from 'node:assert/strict';
import { test } from 'node:test';
import { extract } from 'tar-stream';
import { packImage } from './oci-image.ts';
import { packPauseImage } from './pause-image.ts';

async function unpack(archive: Buffer): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer>();
  const reader = extract();
  reader.end(archive);
  for await (const entry of reader) {
    const chunks: Buffer[] = [];
    for await (const chunk of entry) chunks.push(chunk as Buffer);
    files.set(entry.header.name, Buffer.concat(chunks));
  }
  return files;
}

test('packs an OCI layout whose digests lead from the index to the layers', async () => {
  const archive = await packImage({
    name: 'docker.io/test/one:1',
    architecture: 'amd64',
    layers: [[{ path: 'hello', content: Buffer.from('hi') }]],
    config: { Cmd: ['/hello'] },
  });
  const files = await unpack(archive);
  const json = (name: string): Record<string, never> =>
    JSON.parse(files.get(name)?.toString() ?? 'null') as Record<string, never>;
  const blob = (digest: string): string => `blobs/${digest.replace(':', '/')}`;
  const index = json('index.json') as unknown as {
    manifests: { digest: string; annotations: Record<string, string> }[];
  };
  assert.equal(index.manifests[0]?.annotations['io.containerd.image.name'], 'docker.io/test/one:1');
  const manifest = json(blob(index.manifests[0]?.digest ?? '')) as unknown as {
    config: { digest: string };
    layers: { digest: string; size: number }[];
  };
  const config = json(blob(manifest.config.digest)) as unknown as {
    rootfs: { diff_ids: string[] };
    config: { Cmd: string[] };
  };
  assert.deepEqual(config.config.Cmd, ['/hello']);
  assert.deepEqual(config.rootfs.diff_ids, [manifest.layers[0]?.digest]);
  const layer = files.get(blob(manifest.layers[0]?.digest ?? ''));
  assert.equal(layer?.length, manifest.layers[0]?.size);
  assert.equal((await unpack(layer ?? Buffer.of())).get('hello')?.toString(), 'hi');
});

test('gives equal bytes for equal input', async () => {
  const pack = (): Promise<Buffer> => packPauseImage({ name: 'x/pause:1', architecture: 'arm64' });
  assert.ok((await pack()).equals(await pack()));
});

test('refuses a pause image for a machine without a prebuilt program', async () => {
  const packing = packPauseImage({ name: 'x/pause:1', architecture: 'riscv64' });
  await assert.rejects(packing, { code: 'PauseMissing' });
});
