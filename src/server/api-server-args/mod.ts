/**
 * The flags of kube-apiserver that `--kube-apiserver-arg` takes: one table says for each whether it
 * acts, is ignored or refused, and checks its value. It reads texts only; run-server and api-access
 * obey them. To add one: put it into the table of its subject (access-args, admission-args,
 * network-args, operation-args) and read it through ApiServerArgs. Start at arg-values.ts.
 */
export { renderArgsReference } from './render-reference.ts';
export { apiServerArgTable, readApiServerArgs } from './arg-values.ts';
export type { ApiServerArgs } from './arg-values.ts';
export type { ComponentArg as ApiServerArg } from '../component-args/argument.ts';
export { cipherSuiteNames, tlsVersionNames } from './tls-names.ts';
