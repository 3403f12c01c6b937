import { readComponentArgs } from '../component-args/read-args.ts';
import type { ComponentArgs } from '../component-args/read-args.ts';
import { accessArgs } from './access-args.ts';
import { admissionArgs } from './admission-args.ts';
import { networkArgs } from './network-args.ts';
import { operationArgs } from './operation-args.ts';

/** Every flag of kube-apiserver that `--kube-apiserver-arg` may name. */
export const apiServerArgTable = {
  ...operationArgs,
  ...networkArgs,
  ...accessArgs,
  ...admissionArgs,
} as const;

export type ApiServerArgs = ComponentArgs<typeof apiServerArgTable>;

/** Reads the values of `--kube-apiserver-arg`; see readComponentArgs. */
export function readApiServerArgs(texts: readonly string[] = []): ApiServerArgs {
  return readComponentArgs('kube-apiserver', apiServerArgTable, texts);
}
