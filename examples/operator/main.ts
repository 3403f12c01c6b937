/** `node examples/operator/main.ts`: runs the operator with the current kubeconfig until Ctrl-C. */
import { hostname } from 'node:os';
import { KubeConfig } from '@kubernetes/client-node';

import { runOperator } from './operator.ts';

const stop = new AbortController();
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
const config = new KubeConfig();
config.loadFromDefault();
await runOperator({
  config,
  identity: `${hostname()}-${process.pid}`,
  namespace: 'default',
  webhookHost: process.env['WEBHOOK_HOST'] ?? '127.0.0.1',
  webhookPort: Number(process.env['WEBHOOK_PORT'] ?? 0),
  signal: stop.signal,
  log: (line) => process.stderr.write(`${line}\n`),
});
