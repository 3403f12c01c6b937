import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { canonicalJson } from '../canonical-json.ts';
import { decodeMessage, encodeMessage } from './codec.ts';
import { rpcs } from './generated/messages.ts';

test('writes the bytes that protobuf prescribes', () => {
  const config = { metadata: { name: 'p', uid: 'u', namespace: 'n', attempt: 300 } };
  const bytes = encodeMessage('RunPodSandboxRequest', { config, runtimeHandler: 'r' });
  assert.equal(bytes.toString('hex'), '0a0e0a0c0a01701201751a016e20ac02120172');
});

test('keeps negative numbers, enums, maps, bytes and wrapped zeros', () => {
  const context = {
    runAsUser: { value: 0 },
    supplementalGroups: [1, 70000],
    supplementalGroupsPolicy: 'Strict',
    namespaceOptions: { network: 'NODE', pid: 'CONTAINER', ipc: 'POD' },
    seccomp: { profileType: 'Unconfined' },
  };
  const read = decodeMessage<typeof context>(
    'LinuxContainerSecurityContext',
    encodeMessage('LinuxContainerSecurityContext', context),
  );
  assert.deepEqual(read.runAsUser, { value: 0 });
  assert.deepEqual(read.supplementalGroups, [1, 70000]);
  assert.equal(read.supplementalGroupsPolicy, 'Strict');
  assert.equal(read.namespaceOptions.network, 'NODE');
  assert.equal(read.seccomp.profileType, 'Unconfined');
  const resources = { oomScoreAdj: -997, cpuShares: 2, unified: { a: 'b' } };
  const linux = decodeMessage<typeof resources>(
    'LinuxContainerResources',
    encodeMessage('LinuxContainerResources', resources),
  );
  assert.deepEqual([linux.oomScoreAdj, linux.cpuShares, linux.unified], [-997, 2, { a: 'b' }]);
  const exec = { stdout: Buffer.from('ä'), stderr: Buffer.alloc(0), exitCode: 137 };
  assert.deepEqual(
    decodeMessage('ExecSyncResponse', encodeMessage('ExecSyncResponse', exec)),
    exec,
  );
});

test('any container listing comes back as it was', () => {
  const text = fc.string({ unit: 'binary' });
  const container = fc.record({
    id: text,
    podSandboxId: text,
    metadata: fc.record({ name: text, attempt: fc.nat() }),
    imageRef: text,
    state: fc.constantFrom('CONTAINER_CREATED', 'CONTAINER_EXITED', 'CONTAINER_UNKNOWN'),
    createdAt: fc.integer({ min: 0, max: Number.MAX_SAFE_INTEGER }),
    labels: fc.dictionary(fc.stringMatching(/^[a-z./]{1,9}$/), text),
    annotations: fc.dictionary(fc.stringMatching(/^[a-z./]{1,9}$/), text),
    imageId: text,
  });
  fc.assert(
    fc.property(fc.array(container), (containers) => {
      const type = 'ListContainersResponse';
      const read = decodeMessage(type, encodeMessage(type, { containers }));
      assert.equal(canonicalJson(read), canonicalJson({ containers }));
    }),
    { numRuns: 50 },
  );
});

test('skips fields that it does not know and refuses messages that end too early', () => {
  const bytes = Buffer.from('a206026f6b0a0131', 'hex');
  assert.deepEqual(decodeMessage('StartContainerRequest', bytes), { containerId: '1' });
  assert.throws(
    () => decodeMessage('StartContainerRequest', Buffer.from('0a05aa', 'hex')),
    RangeError,
  );
});

test('knows the messages of every call', () => {
  for (const calls of Object.values(rpcs)) {
    for (const { request, response } of Object.values(calls)) {
      decodeMessage(request, encodeMessage(request, {}));
      decodeMessage(response, Buffer.alloc(0));
    }
  }
});
