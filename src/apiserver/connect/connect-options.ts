import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import type { Authorizer } from '../authz/authorizer.ts';
import type { ObjectReader } from '../authz/object-reader.ts';
import type { KubeletTransport } from './kubelet-transport.ts';

/** What the connections to kubelets, pods and services are made with. */
export interface ConnectOptions {
  reader: ObjectReader;
  authorizer: Authorizer;
  transport: KubeletTransport;
  clock: Clock;
  random: Random;
  log: Logger;
}
