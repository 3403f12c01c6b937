import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseKubeconfig } from './kubeconfig.ts';

const config = `
apiVersion: v1
kind: Config
clusters:
- name: local
  cluster: {server: "https://127.0.0.1:6444", certificate-authority: tls/server-ca.crt}
- name: other
  cluster: {server: "https://[::1]:6443", certificate-authority-data: Y2E=, tls-server-name: api}
contexts:
- name: Default
  context: {cluster: local, user: user, namespace: default}
- name: second
  context: {cluster: other, user: token}
current-context: Default
users:
- name: user
  user: {client-certificate: /tls/client.crt, client-key: /tls/client.key}
- name: token
  user: {token: abc}
`;

test('takes the current context, with files named and not read', () => {
  const entry = parseKubeconfig(config);
  assert.equal(entry.server, 'https://127.0.0.1:6444');
  assert.equal(entry.namespace, 'default');
  assert.deepEqual(entry.ca, { file: 'tls/server-ca.crt' });
  assert.deepEqual(entry.key, { file: '/tls/client.key' });
});

test('takes a named context with inline data', () => {
  const entry = parseKubeconfig(config, 'second');
  assert.deepEqual(entry.ca, { data: Buffer.from('ca') });
  assert.deepEqual([entry.token, entry.serverName], ['abc', 'api']);
});

test('says which entry is missing', () => {
  assert.throws(() => parseKubeconfig(config, 'third'), {
    code: 'BadKubeconfig',
    message: 'kubeconfig has no contexts entry "third"',
  });
});
