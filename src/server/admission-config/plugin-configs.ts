import path from 'node:path';
import type {
  LimitedResource,
  NodeSelectorConfig,
  TolerationConfig,
} from '#apiserver/admission/mod.ts';
import type { ScopedResourceSelectorRequirement } from '#schema/types.ts';
import { fields, list, strings, text, usage } from './config-fields.ts';
import type { Fields } from './config-fields.ts';

/** What the file says of ImagePolicyWebhook; the kubeconfig names the backend. */
export interface ImagePolicySettings {
  readonly kubeConfigFile: string;
  readonly allowTtlMs: number;
  readonly denyTtlMs: number;
  readonly retryBackoffMs: number;
  readonly isAllowedByDefault: boolean;
}

/** ResourceQuotaConfiguration. */
export function limitedResourcesOf(config: Fields): readonly LimitedResource[] {
  return list(config['limitedResources']).map((rule) => ({
    apiGroup: text(rule['apiGroup']),
    resource: text(rule['resource']),
    matchContains: strings(rule['matchContains']),
    matchScopes: list(rule['matchScopes']).map(
      ({ scopeName, operator, values }): ScopedResourceSelectorRequirement => ({
        scopeName: text(scopeName),
        operator: text(operator),
        values: [...strings(values)],
      }),
    ),
  }));
}

export function nodeSelectorsOf(config: Fields): NodeSelectorConfig {
  const entries = Object.entries(fields(config['podNodeSelectorPluginConfig']));
  return Object.fromEntries(entries.map(([name, value]) => [name, text(value)]));
}

export function tolerationsOf(config: Fields): TolerationConfig {
  return {
    default: list(config['default']),
    whitelist: list(config['whitelist']),
  };
}

/** Bounds of upstream: lives of answers in seconds, the wait before another try in milliseconds. */
const ttlSeconds = { default: 5 * 60, min: 1, max: 30 * 60 };
const backoffMs = { default: 500, min: 1, max: 5 * 60_000 };

export function imagePolicyOf(file: string, config: Fields): ImagePolicySettings {
  const policy = fields(config['imagePolicy']);
  const bounded = (
    name: string,
    unitMs: number,
    bounds: { default: number; min: number; max: number },
  ): number => {
    const value = policy[name] ?? 0;
    // zero stands for the default, a negative number for none at all
    if (value === 0) return bounds.default * unitMs;
    if (typeof value === 'number' && value < 0) return 0;
    if (typeof value === 'number' && value >= bounds.min && value <= bounds.max) {
      return value * unitMs;
    }
    throw usage(
      file,
      `ImagePolicyWebhook: valid value for ${name} is between ${bounds.min} and ${bounds.max}, got ${JSON.stringify(value)}`,
    );
  };
  const kubeConfigFile = text(policy['kubeConfigFile']);
  if (kubeConfigFile === '') throw usage(file, 'ImagePolicyWebhook: kubeConfigFile is required');
  return {
    kubeConfigFile: path.resolve(path.dirname(file), kubeConfigFile),
    allowTtlMs: bounded('allowTTL', 1000, ttlSeconds),
    denyTtlMs: bounded('denyTTL', 1000, ttlSeconds),
    retryBackoffMs: bounded('retryBackoff', 1, backoffMs),
    isAllowedByDefault: policy['defaultAllow'] === true,
  };
}
