import { readFile } from 'node:fs/promises';
import { K3tsError, messageOf } from '#base/errors.ts';
import type { ControllerOptions } from '#controllers/mod.ts';
import type { ControllerManagerArgs } from '../component-args/mod.ts';
import { chooseControllers, controllerNameProblem } from './controller-names.ts';
import type { ControllerChoice } from './controller-names.ts';

/** What the arguments of kube-controller-manager change about the controllers. */
export interface ControllerSettings {
  readonly enabled: readonly string[];
  readonly disabled: readonly string[];
  /** To be put over the options that the server makes itself. */
  readonly options: Partial<ControllerOptions>;
}

/** Reads the files that the arguments name; throws K3tsError Usage for what cannot be used. */
export async function readControllerSettings(
  args: ControllerManagerArgs,
): Promise<ControllerSettings> {
  const choice = await readChoice(args);
  const disabled = [...choice.disabled];
  if (!args.boolean('enable-garbage-collector')) disabled.push('garbage-collector-controller');
  const rootCaFile = args.text('root-ca-file');
  const signer = await readSigner(args);
  return {
    enabled: choice.enabled,
    disabled,
    options: {
      ...nodeOptions(args),
      autoscaling: {
        syncPeriodMs: args.durationMs('horizontal-pod-autoscaler-sync-period'),
        tolerance: args.number('horizontal-pod-autoscaler-tolerance'),
        downWindowMs: args.durationMs('horizontal-pod-autoscaler-downscale-stabilization'),
        cpuInitializationMs: args.durationMs('horizontal-pod-autoscaler-cpu-initialization-period'),
        initialReadinessMs: args.durationMs('horizontal-pod-autoscaler-initial-readiness-delay'),
      },
      forcesDetach: !args.boolean('disable-force-detach-on-timeout'),
      legacyTokenUnusedMs: args.durationMs('legacy-service-account-token-clean-up-period'),
      quotaResyncMs: args.durationMs('resource-quota-sync-period'),
      terminatedPodThreshold: args.integer('terminated-pod-gc-threshold'),
      signingDurationMs: args.durationMs('cluster-signing-duration'),
      ...(args.boolean('allocate-node-cidrs') ? {} : { clusterCidrs: [] }),
      ...(rootCaFile === '' ? {} : { rootCa: await readPem('root-ca-file', rootCaFile) }),
      ...(signer === undefined ? {} : { signers: signer }),
    },
  };
}

function nodeOptions(args: ControllerManagerArgs): Partial<ControllerOptions> {
  return {
    nodeMonitorMs: args.durationMs('node-monitor-period'),
    nodeMonitorGraceMs: args.durationMs('node-monitor-grace-period'),
    nodeStartupGraceMs: args.durationMs('node-startup-grace-period'),
    eviction: {
      perSecond: args.number('node-eviction-rate'),
      slowPerSecond: args.number('secondary-node-eviction-rate'),
      unhealthyShare: args.number('unhealthy-zone-threshold'),
      largeZoneNodes: args.integer('large-cluster-size-threshold'),
    },
  };
}

/** The code of the controllers is loaded only if some are named. */
async function readChoice(args: ControllerManagerArgs): Promise<ControllerChoice> {
  if (!args.isGiven('controllers')) return { enabled: [], disabled: [] };
  const { controllers } = await import('#controllers/mod.ts');
  const entries = args.list('controllers');
  for (const entry of entries) {
    const problem = controllerNameProblem(entry, controllers);
    if (problem !== undefined) throw new K3tsError('Usage', problem);
  }
  return chooseControllers(entries, controllers);
}

async function readSigner(args: ControllerManagerArgs): Promise<ControllerOptions['signers']> {
  const certFile = args.text('cluster-signing-cert-file');
  const keyFile = args.text('cluster-signing-key-file');
  if (certFile === '' && keyFile === '') return undefined;
  if (certFile === '' || keyFile === '') {
    throw new K3tsError(
      'Usage',
      'cluster-signing-cert-file and cluster-signing-key-file must be given together',
    );
  }
  const authority = {
    certificatePem: await readPem('cluster-signing-cert-file', certFile),
    keyPem: await readPem('cluster-signing-key-file', keyFile),
  };
  return { client: authority, server: authority };
}

async function readPem(flag: string, path: string): Promise<string> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new K3tsError('Usage', `--kube-controller-manager-arg ${flag}: ${messageOf(error)}`, {
      cause: error,
    });
  }
  if (text.includes('-----BEGIN ')) return text;
  throw new K3tsError('Usage', `--kube-controller-manager-arg ${flag}: ${path} holds no PEM data`);
}
