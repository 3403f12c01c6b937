import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PodSpec } from '#schema/types.ts';
import { apiReference } from './api-references.ts';

test('static pods may not need objects of the API', () => {
  const container = { name: 'c' };
  const projected = (source: object): Partial<PodSpec> => ({
    volumes: [{ name: 'v', projected: { sources: [source] } }],
  });
  const table: [Partial<PodSpec>, string | undefined][] = [
    [{}, undefined],
    [{ volumes: [{ name: 'v', hostPath: { path: '/x' } }] }, undefined],
    [{ serviceAccountName: 'x' }, 'serviceaccounts'],
    [{ imagePullSecrets: [{ name: 's' }] }, 'secrets'],
    [{ containers: [{ ...container, envFrom: [{ secretRef: { name: 's' } }] }] }, 'secrets'],
    [
      {
        containers: [
          {
            ...container,
            env: [{ name: 'E', valueFrom: { configMapKeyRef: { name: 'm', key: 'k' } } }],
          },
        ],
      },
      'configmaps',
    ],
    [{ volumes: [{ name: 'v', configMap: { name: 'm' } }] }, 'configmaps'],
    [projected({ secret: { name: 's' } }), 'secrets'],
    [projected({ serviceAccountToken: { path: 't' } }), 'serviceaccounts (via projected volumes)'],
    [projected({ clusterTrustBundle: { path: 't' } }), 'clustertrustbundles'],
    [
      { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] },
      'persistentvolumeclaims',
    ],
    [{ volumes: [{ name: 'v', ephemeral: {} }] }, 'persistentvolumeclaims (via ephemeral volumes)'],
    [{ volumes: [{ name: 'v', csi: { driver: 'd' } }] }, 'csidrivers (via CSI volumes)'],
    [
      { volumes: [{ name: 'v', csi: { driver: 'd', nodePublishSecretRef: { name: 's' } } }] },
      'secrets',
    ],
    [{ resourceClaims: [{ name: 'r' }] }, 'resourceclaims'],
  ];
  for (const [spec, expected] of table) {
    const pod = { metadata: { name: 'p' }, spec: { containers: [container], ...spec } };
    assert.equal(apiReference(pod), expected, JSON.stringify(spec));
  }
});
