/** Keeps ConfigMap kube-root-ca.crt with the cluster's authority in each namespace. */
export { startRootCaPublisher } from './root-ca-publisher.ts';
