import path from 'node:path';
import { isEventLimitType, isPolicyLevel, isPolicyVersion } from '#apiserver/admission/mod.ts';
import type {
  EventLimit,
  LimitedResource,
  NodeSelectorConfig,
  PodSecurityConfig,
  TolerationConfig,
} from '#apiserver/admission/mod.ts';
import { messageOf } from '#base/errors.ts';
import { readOptional } from '#host/files.ts';
import { readYaml } from '#schema/mod.ts';
import { fields, isPositive, list, strings, usage } from './config-fields.ts';
import type { Fields } from './config-fields.ts';
import {
  imagePolicyOf,
  limitedResourcesOf,
  nodeSelectorsOf,
  tolerationsOf,
} from './plugin-configs.ts';
import type { ImagePolicySettings } from './plugin-configs.ts';
import { readWebhookKubeconfig } from './webhook-kubeconfig.ts';
import type { CredentialsByHost } from './webhook-kubeconfig.ts';

/** What the file says of the plugins that can be configured. */
export interface AdmissionConfiguration {
  readonly podSecurity?: PodSecurityConfig;
  readonly eventLimits?: readonly EventLimit[];
  readonly limitedResources?: readonly LimitedResource[];
  readonly nodeSelectors?: NodeSelectorConfig;
  readonly tolerations?: TolerationConfig;
  readonly imagePolicy?: ImagePolicySettings;
  readonly mutatingWebhook?: CredentialsByHost;
  readonly validatingWebhook?: CredentialsByHost;
}

/** Reads the file and the files it names. Throws K3tsError Usage with the path in front. */
export async function loadAdmissionConfiguration(file: string): Promise<AdmissionConfiguration> {
  if (file === '') return {};
  const whole = parse(file, await readFile(file));
  if (whole['kind'] !== 'AdmissionConfiguration') {
    throw usage(file, `kind must be AdmissionConfiguration, not ${JSON.stringify(whole['kind'])}`);
  }
  const result: { -readonly [K in keyof AdmissionConfiguration]: AdmissionConfiguration[K] } = {};
  for (const plugin of list(whole['plugins'])) {
    const { name } = plugin;
    const config = await pluginConfig(file, plugin);
    switch (name) {
      case 'PodSecurity':
        result.podSecurity = podSecurityOf(file, config);
        break;
      case 'EventRateLimit':
        result.eventLimits = eventLimitsOf(file, config);
        break;
      case 'ResourceQuota':
        result.limitedResources = limitedResourcesOf(config);
        break;
      case 'PodNodeSelector':
        result.nodeSelectors = nodeSelectorsOf(config);
        break;
      case 'PodTolerationRestriction':
        result.tolerations = tolerationsOf(config);
        break;
      case 'ImagePolicyWebhook':
        result.imagePolicy = imagePolicyOf(file, config);
        break;
      case 'MutatingAdmissionWebhook':
        result.mutatingWebhook = await credentialsOf(file, config);
        break;
      case 'ValidatingAdmissionWebhook':
        result.validatingWebhook = await credentialsOf(file, config);
        break;
      default:
        throw usage(file, `plugin ${JSON.stringify(name)} cannot be configured here`);
    }
  }
  return result;
}

async function readFile(file: string): Promise<string> {
  const text = await readOptional(file);
  if (text === undefined) throw usage(file, 'no such file or directory');
  return text;
}

function parse(file: string, text: string): Fields {
  let value: unknown;
  try {
    value = readYaml(text).value;
  } catch (error) {
    throw usage(file, messageOf(error));
  }
  if (typeof value !== 'object' || value === null) throw usage(file, 'the file holds no object');
  return value as Fields;
}

/** Inline, or in a file of its own beside the first one. */
async function pluginConfig(file: string, plugin: Fields): Promise<Fields> {
  const { configuration, path: own } = plugin;
  if (typeof configuration === 'object' && configuration !== null) return configuration as Fields;
  if (typeof own !== 'string' || own === '') return {};
  const resolved = path.resolve(path.dirname(file), own);
  return parse(resolved, await readFile(resolved));
}

function podSecurityOf(file: string, config: Fields): PodSecurityConfig {
  const defaults = fields(config['defaults']);
  const exemptions = fields(config['exemptions']);
  const policyOf = (mode: string): { level?: string; version?: string } => {
    const level = defaults[mode];
    const version = defaults[`${mode}-version`];
    if (level !== undefined && !isPolicyLevel(level)) {
      const text = 'must be one of privileged, baseline, restricted';
      throw usage(file, `defaults.${mode}: Invalid value: ${JSON.stringify(level)}: ${text}`);
    }
    if (version !== undefined && !isPolicyVersion(version)) {
      const text = 'must be "latest" or "v1.x"';
      const shown = JSON.stringify(version);
      throw usage(file, `defaults.${mode}-version: Invalid value: ${shown}: ${text}`);
    }
    return {
      ...(typeof level === 'string' ? { level } : {}),
      ...(typeof version === 'string' ? { version } : {}),
    };
  };
  return {
    defaults: { enforce: policyOf('enforce'), audit: policyOf('audit'), warn: policyOf('warn') },
    exemptions: {
      usernames: strings(exemptions['usernames']),
      namespaces: strings(exemptions['namespaces']),
      runtimeClasses: strings(exemptions['runtimeClasses']),
    },
  };
}

function eventLimitsOf(file: string, config: Fields): readonly EventLimit[] {
  const limits = list(config['limits']).map(({ type, qps, burst, cacheSize }) => {
    if (!isEventLimitType(type)) throw usage(file, `limits: unknown type ${JSON.stringify(type)}`);
    if (!isPositive(qps)) throw usage(file, 'limits: qps must be positive');
    if (!isPositive(burst)) throw usage(file, 'limits: burst must be positive');
    return { type, qps, burst, cacheSize: isPositive(cacheSize) ? cacheSize : 4096 };
  });
  if (limits.length === 0) throw usage(file, 'EventRateLimit: limits must not be empty');
  return limits;
}

async function credentialsOf(file: string, config: Fields): Promise<CredentialsByHost> {
  const kubeconfig = config['kubeConfigFile'];
  if (typeof kubeconfig !== 'string' || kubeconfig === '') return () => undefined;
  return await readWebhookKubeconfig(path.resolve(path.dirname(file), kubeconfig), readFile);
}
