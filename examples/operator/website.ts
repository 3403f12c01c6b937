import type { KubernetesObject, V1CustomResourceDefinition } from '@kubernetes/client-node';

/** The kind this operator brings: a static page that becomes a ConfigMap, a Deployment and a Service. */
export interface Website extends KubernetesObject {
  spec: { page: string; replicas?: number; image?: string };
  status?: { observedGeneration?: number; readyReplicas?: number; conditions?: Condition[] };
}

export interface Condition {
  type: string;
  status: 'True' | 'False';
  reason: string;
  message: string;
  lastTransitionTime: string;
  observedGeneration: number;
}

export const group = 'examples.k3ts.dev';
export const version = 'v1';
export const plural = 'websites';
export const apiVersion = `${group}/${version}`;
/** Held until the site is taken out of the index. */
export const finalizer = `${group}/index`;

/** client-node's models spell `default` and `x-kubernetes-*` with underscores. */
export const definition: V1CustomResourceDefinition & { metadata: { name: string } } = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: `${plural}.${group}` },
  spec: {
    group,
    scope: 'Namespaced',
    names: { plural, singular: 'website', kind: 'Website', shortNames: ['site'] },
    versions: [
      {
        name: version,
        served: true,
        storage: true,
        subresources: {
          status: {},
          scale: {
            specReplicasPath: '.spec.replicas',
            statusReplicasPath: '.status.readyReplicas',
          },
        },
        additionalPrinterColumns: [
          { name: 'Wanted', type: 'integer', jsonPath: '.spec.replicas' },
          { name: 'Ready', type: 'integer', jsonPath: '.status.readyReplicas' },
          { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' },
        ],
        schema: {
          openAPIV3Schema: {
            type: 'object',
            required: ['spec'],
            properties: {
              spec: {
                type: 'object',
                required: ['page'],
                properties: {
                  page: { type: 'string', maxLength: 10_000, description: 'HTML of the page.' },
                  replicas: { type: 'integer', minimum: 0, maximum: 10 },
                  image: { type: 'string', _default: 'nginx:alpine' },
                },
              },
              status: {
                type: 'object',
                properties: {
                  observedGeneration: { type: 'integer' },
                  readyReplicas: { type: 'integer' },
                  conditions: {
                    type: 'array',
                    x_kubernetes_list_type: 'map',
                    x_kubernetes_list_map_keys: ['type'],
                    items: {
                      type: 'object',
                      required: ['type', 'status'],
                      properties: {
                        type: { type: 'string' },
                        status: { type: 'string' },
                        reason: { type: 'string' },
                        message: { type: 'string' },
                        lastTransitionTime: { type: 'string', format: 'date-time' },
                        observedGeneration: { type: 'integer' },
                      },
                    },
                  },
                },
              },
            },
          },
        },
      },
    ],
  },
};
