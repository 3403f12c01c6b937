import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { resources } from '#client/mod.ts';
import { FakeObjectReader } from '../../authz/fake-object-reader.ts';
import { refusedAudience } from './token-audience.ts';

const reader = new FakeObjectReader();
reader.put(resources.pods, {
  metadata: { name: 'web', namespace: 'ns' },
  spec: {
    volumes: [
      { name: 'a', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } },
      {
        name: 'b',
        projected: { sources: [{ serviceAccountToken: { path: 't', audience: 'vault' } }] },
      },
      { name: 'c', csi: { driver: 'csi.acme.com' } },
      { name: 'd', persistentVolumeClaim: { claimName: 'data' } },
    ],
  },
} as never);
const drivers = { group: 'storage.k8s.io', version: 'v1', resource: 'csidrivers' };
for (const [name, audience] of [
  ['csi.acme.com', 'inline'],
  ['disk.acme.com', 'disk'],
]) {
  reader.put(drivers, { metadata: { name }, spec: { tokenRequests: [{ audience }] } } as never);
}
reader.put(resources.persistentVolumeClaims, {
  metadata: { name: 'data', namespace: 'ns' },
  spec: { volumeName: 'pv' },
} as never);
reader.put(resources.persistentVolumes, {
  metadata: { name: 'pv' },
  spec: { csi: { driver: 'disk.acme.com', volumeHandle: 'h' } },
} as never);

reader.put(resources.pods, {
  metadata: { name: 'half', namespace: 'ns' },
  spec: {
    volumes: [
      { name: 'a', persistentVolumeClaim: { claimName: 'gone' } },
      { name: 'b', awsElasticBlockStore: { volumeID: 'v' } },
    ],
  },
} as never);

async function refusal(
  audiences: string[],
  granted = '',
  pod = 'web',
): Promise<string | undefined> {
  return await refusedAudience({
    reader,
    authorizer: {
      authorize: async ({ resource }) => ({
        decision: resource?.resource === granted ? 'allow' : 'no-opinion',
        reason: '',
        error: granted === 'broken' ? 'no answer' : undefined,
      }),
    },
    attributes: {
      operation: 'CREATE',
      subresource: 'token',
      namespace: 'ns',
      name: 'app',
      context: { user: { name: 'system:node:n1', groups: [] } },
      object: { spec: { audiences, boundObjectRef: { name: pod } } },
    } as never,
  });
}

describe('audiences that a node may ask for', () => {
  for (const audience of ['', 'vault', 'inline', 'disk']) {
    it(`${JSON.stringify(audience)} is of a volume of the pod`, async () => {
      assert.equal(await refusal(audience === '' ? [] : [audience], 'nothing'), undefined);
    });
  }

  it('others need a role', async () => {
    assert.equal(
      await refusal(['registry'], 'nothing'),
      'audience "registry" not found in pod spec volume, system:node:n1 is not authorized to request tokens for this audience',
    );
    assert.equal(await refusal(['registry'], 'registry'), undefined);
  });

  it('an authorizer that fails says so', async () => {
    assert.equal(
      await refusal(['registry'], 'broken'),
      'audience "registry" not found in pod spec volume, error authorizing system:node:n1 to request tokens for this audience: no answer',
    );
  });

  it('claims and drivers that are not there are an error, those of old volumes too', async () => {
    assert.equal(
      await refusal(['registry'], 'registry', 'half'),
      'error validating audience "registry": [persistentvolumeclaim "gone" not found, csidriver.storage.k8s.io "ebs.csi.aws.com" not found]',
    );
  });

  it('one at a time', async () => {
    assert.equal(await refusal(['vault', 'disk']), 'node may only request 0 or 1 audiences');
  });
});
