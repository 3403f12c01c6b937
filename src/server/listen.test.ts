import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { ApiServer } from '#apiserver/mod.ts';
import { listen } from './listen.ts';
import { serverPaths } from './paths.ts';
import type { ServerSettings } from './settings.ts';

const dataDir = await mkdtemp(join(tmpdir(), 'k3ts-listen-'));
after(async () => await rm(dataDir, { recursive: true, force: true }));
const paths = serverPaths(dataDir);
await mkdir(paths.tls, { recursive: true });
for (const name of ['serving-kube-apiserver.crt', 'serving-kube-apiserver.key', 'server-ca.crt']) {
  await writeFile(paths.tlsFile(name), name);
}

async function listenAt(bindAddress: string, code?: string): Promise<string[]> {
  const places: string[] = [];
  const api = {
    async listen({ host, port }: { host: string; port: number }) {
      places.push(`${host}:${port}`);
      if (code !== undefined) throw Object.assign(new Error(code), { code });
    },
  } as unknown as ApiServer;
  const settings = { bindAddress, httpsPort: 6443 } as ServerSettings;
  assert.deepEqual(await listen(api, settings, paths, {}), { caPem: 'server-ca.crt' });
  return places;
}

test('a server listens where it was told and at its own port of loopback', async () => {
  assert.deepEqual(await listenAt('0.0.0.0'), ['0.0.0.0:6443', '127.0.0.1:6444']);
});

test('an address that cannot be listened at is told with what to change', async () => {
  await assert.rejects(listenAt('0.0.0.0', 'EADDRINUSE'), {
    code: 'Usage',
    message:
      'port 6443 on 0.0.0.0 is in use: is k3ts or k3s running already? ' +
      '(--https-listen-port sets another one)',
  });
  await assert.rejects(listenAt('192.0.2.7', 'EADDRNOTAVAIL'), {
    code: 'Usage',
    message: '--bind-address 192.0.2.7 is no address of this machine',
  });
  await assert.rejects(listenAt('0.0.0.0', 'EACCES'), { code: 'EACCES' });
});
