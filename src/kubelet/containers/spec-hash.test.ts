import assert from 'node:assert/strict';
import { test } from 'node:test';
import { containerHash } from './spec-hash.ts';

test('the hash of a container is the one that upstream writes on it', () => {
  // As seen on clusters of 1.31 and newer.
  const table: [name: string, image: string, hash: string][] = [
    ['storage-provisioner', 'gcr.io/k8s-minikube/storage-provisioner:v5', '6c6bf961'],
    ['coredns', 'registry.k8s.io/coredns/coredns:v1.11.3', '2a3a204d'],
    ['etcd', 'registry.k8s.io/etcd:3.5.16-0', 'e68be80f'],
    ['kube-scheduler', 'registry.k8s.io/kube-scheduler:v1.31.2', '16c835f9'],
  ];
  for (const [name, image, hash] of table) assert.equal(containerHash({ name, image }), hash);
});
