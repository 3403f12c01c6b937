/**
 * How every component talks to the API server: one Client interface, informers over it, and what
 * controllers share. It knows no HTTP server and no storage. Start reading at client.ts.
 */
export type * from './client.ts';
export type * from './informer-types.ts';
export { resources } from './resources.ts';
export { objectKey, splitObjectKey } from './object-key.ts';

export { createHttpClient } from './http/http-client.ts';
export type { HttpClient, HttpClientOptions } from './http/http-client.ts';
export { createKubeconfigClient, parseKubeconfig } from './http/kubeconfig.ts';
export type { KubeconfigEntry, PemSource } from './http/kubeconfig.ts';
export { renderKubeconfig } from './http/render-kubeconfig.ts';

export { followResource } from './reflector.ts';
export type { FollowOptions, Selection } from './reflector.ts';
export { createInformer } from './informer.ts';
export type { InformerOptions, StartableInformer } from './informer.ts';
export { createInformerFactory } from './informer-factory.ts';
export type { InformerFactory } from './informer-factory.ts';

export { createWorkQueue } from './work-queue.ts';
export type { WorkQueue } from './work-queue.ts';
export { createTokenBucket } from './rate-limiter.ts';
export type { RateLimits, TokenBucket } from './rate-limiter.ts';
export { startControllerLoop } from './controller-loop.ts';
export type { ControllerLoop, Reconcile, ReconcileResult } from './controller-loop.ts';

export { runLeaderElection } from './leader-election.ts';
export type { LeaderElectionOptions } from './leader-election.ts';
export { createEventRecorder } from './events/event-recorder.ts';
export type { EventRecorder } from './events/event-recorder.ts';

export {
  controllerOf,
  controllerReference,
  isControlledBy,
  ownerReference,
} from './owner-reference.ts';
export { createExpectations } from './expectations.ts';
export type { Expectations } from './expectations.ts';
export { bearerToken, certificateUser, reviewAccess, reviewToken } from './delegated-access.ts';
export type { RequestUser } from './delegated-access.ts';
export { createRequestMeter } from './request-metrics.ts';
export { createQueueMeter } from './queue-metrics.ts';
export type { QueueMeter, QueueWatcher } from './queue-metrics.ts';
