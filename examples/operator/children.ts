import type { KubernetesObject, V1OwnerReference } from '@kubernetes/client-node';

import type { Website } from './website.ts';
import { apiVersion } from './website.ts';

/** What a Website needs, as apply configurations: only the fields the operator cares for. */
export function childrenOf(site: Website): (KubernetesObject & Record<string, unknown>)[] {
  const { name = '', namespace = '', uid = '' } = site.metadata ?? {};
  const labels = { 'app.kubernetes.io/name': 'website', 'app.kubernetes.io/instance': name };
  const owner: V1OwnerReference = {
    apiVersion,
    kind: 'Website',
    name,
    uid,
    controller: true,
    blockOwnerDeletion: true,
  };
  const metadata = { name, namespace, labels, ownerReferences: [owner] };
  const volumes = [{ name: 'page', configMap: { name } }];
  const container = {
    name: 'web',
    image: site.spec.image,
    ports: [{ containerPort: 80 }],
    volumeMounts: [{ name: 'page', mountPath: '/usr/share/nginx/html' }],
  };
  const template = { metadata: { labels }, spec: { containers: [container], volumes } };
  const spec = { replicas: site.spec.replicas, selector: { matchLabels: labels }, template };
  const ports = [{ port: 80 }];
  return [
    { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { 'index.html': site.spec.page } },
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata, spec },
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { selector: labels, ports } },
  ];
}
