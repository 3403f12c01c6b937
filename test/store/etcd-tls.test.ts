/** etcd over TLS with client certificates, as `--datastore-cafile` and its neighbours set it. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';

import { systemClock } from '#base/clock.ts';
import { systemRandom } from '#base/random.ts';
import { createAuthority, createEcKey, issueCertificate } from '#pki/mod.ts';
import { startTestApi } from '../api/server.ts';
import { etcdProblem, startEtcd } from './etcd-process.ts';

const host = '127.77.3.1';

/** PEM files of an authority and of one certificate for servers and clients. */
async function writeFiles(dir: string): Promise<{ ca: string; certificate: string; key: string }> {
  const nowMs = systemClock.now();
  const authority = await createAuthority({
    commonName: 'etcd-ca',
    keyPem: await createEcKey(),
    nowMs,
    serial: systemRandom.bytes(8),
  });
  const key = await createEcKey();
  const certificate = await issueCertificate({
    authority,
    commonName: 'etcd',
    ipAddresses: [host],
    purposes: ['server', 'client'],
    key,
    nowMs,
    serial: systemRandom.bytes(8),
  });
  const paths = {
    ca: join(dir, 'ca.crt'),
    certificate: join(dir, 'etcd.crt'),
    key: join(dir, 'etcd.key'),
  };
  writeFileSync(paths.ca, authority.certificatePem);
  writeFileSync(paths.certificate, certificate);
  writeFileSync(paths.key, key);
  return paths;
}

test(
  'a server uses an etcd that wants client certificates',
  { skip: etcdProblem() ?? false },
  async (t) => {
    const dir = mkdtempSync(join(tmpdir(), 'k3ts-etcd-tls-'));
    t.after(() => rmSync(dir, { recursive: true, force: true }));
    const files = await writeFiles(dir);
    const etcd = await startEtcd({ host, ...files });
    t.after(() => etcd.close());
    assert.match(etcd.endpoint, /^https:/);
    const api = await startTestApi({
      datastoreEndpoint: etcd.endpoint,
      datastoreTls: {
        caFile: files.ca,
        certificateFile: files.certificate,
        keyFile: files.key,
      },
      disableControllerManager: true,
    });
    t.after(() => api.close());
    const path = '/api/v1/namespaces/default/configmaps';
    const made = await api.request('POST', path, { body: { metadata: { name: 'secure' } } });
    assert.equal(made.status, 201, made.text);
    assert.match(etcd.ctl('get', '/registry/configmaps/default/secure'), /"name":"secure"/);
  },
);

test('a file that is not there is named', async () => {
  const datastoreTls = {
    caFile: '/nowhere/ca.crt',
    certificateFile: undefined,
    keyFile: undefined,
  };
  await assert.rejects(
    startTestApi({ datastoreEndpoint: 'https://127.0.0.1:1', datastoreTls }),
    /Option --datastore-cafile: "\/nowhere\/ca\.crt" cannot be read: there is no such file/,
  );
});
