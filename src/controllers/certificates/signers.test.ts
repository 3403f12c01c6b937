import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { RequestFacts } from '#pki/mod.ts';
import { signers } from './signers.ts';

const facts = (change: Partial<RequestFacts> = {}): RequestFacts => ({
  commonName: 'system:node:n1',
  organizations: ['system:nodes'],
  dnsNames: [],
  emailAddresses: [],
  ipAddresses: [],
  uris: [],
  ...change,
});
const auth = { client: 'client auth', server: 'server auth' };
const signing = 'digital signature';

const cases: [string, Partial<RequestFacts>, string[], string | undefined][] = [
  ['kube-apiserver-client', {}, [auth.client], undefined],
  [
    'kube-apiserver-client',
    {},
    [auth.client, auth.server],
    'invalid usage for client certificate: server auth',
  ],
  [
    'kube-apiserver-client',
    {},
    [signing],
    'missing required usage for client certificate: client auth',
  ],
  ['kube-apiserver-client-kubelet', {}, [auth.client, signing], undefined],
  [
    'kube-apiserver-client-kubelet',
    { organizations: [], dnsNames: ['a'] },
    [auth.client, signing],
    'subject organization is not system:nodes',
  ],
  [
    'kube-apiserver-client-kubelet',
    { commonName: 'n1' },
    [],
    'subject common name does not begin with system:node:',
  ],
  [
    'kube-apiserver-client-kubelet',
    {},
    [auth.client],
    'usages did not match [client auth digital signature key encipherment]',
  ],
  ['kubelet-serving', { dnsNames: ['a'] }, [auth.server, signing], undefined],
  ['kubelet-serving', {}, [auth.server, signing], 'DNS or IP subjectAltName is required'],
  [
    'kubelet-serving',
    { dnsNames: ['a'], commonName: 'n1' },
    [auth.client, signing],
    'usages did not match [digital signature key encipherment server auth]',
  ],
  ['legacy-unknown', { organizations: ['any'] }, ['any'], undefined],
];

for (const [signer, change, usages, refusal] of cases) {
  test(`${signer}: ${JSON.stringify(change)} ${usages.join()} is ${refusal ?? 'fine'}`, () => {
    assert.equal(signers[`kubernetes.io/${signer}`]?.refusal(facts(change), usages), refusal);
  });
}
