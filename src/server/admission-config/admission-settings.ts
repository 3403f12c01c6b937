import { K3tsError } from '#base/errors.ts';
import type { ApiServerArgs } from '../api-server-args/mod.ts';
import { loadAdmissionConfiguration } from './admission-configuration.ts';
import type { AdmissionConfiguration } from './admission-configuration.ts';

/** Everything that flags and files say of admission. */
export interface AdmissionSettings extends AdmissionConfiguration {
  readonly enable: readonly string[];
  readonly disable: readonly string[];
  readonly notReadySeconds: number;
  readonly unreachableSeconds: number;
}

/** Reads the flags and the files they name. Throws K3tsError Usage for what cannot be meant. */
export async function readAdmissionSettings(args: ApiServerArgs): Promise<AdmissionSettings> {
  const enable = args.list('enable-admission-plugins');
  const disable = args.list('disable-admission-plugins');
  const both = enable.filter((name) => disable.includes(name));
  if (both.length > 0) {
    throw new K3tsError(
      'Usage',
      `[${both.join(' ')}] in enable-admission-plugins and disable-admission-plugins overlapped`,
    );
  }
  const configuration = await loadAdmissionConfiguration(
    args.text('admission-control-config-file'),
  );
  if (enable.includes('EventRateLimit') && configuration.eventLimits === undefined) {
    throw new K3tsError(
      'Usage',
      'EventRateLimit needs its limits in --admission-control-config-file',
    );
  }
  if (enable.includes('ImagePolicyWebhook') && configuration.imagePolicy === undefined) {
    throw new K3tsError(
      'Usage',
      'ImagePolicyWebhook needs its backend in --admission-control-config-file',
    );
  }
  return {
    ...configuration,
    enable,
    disable,
    notReadySeconds: args.integer('default-not-ready-toleration-seconds'),
    unreachableSeconds: args.integer('default-unreachable-toleration-seconds'),
  };
}
