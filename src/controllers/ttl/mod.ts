/** Tells kubelets by an annotation of their node how long Secrets and ConfigMaps may be cached. */
export { startTtlController } from './ttl-controller.ts';
