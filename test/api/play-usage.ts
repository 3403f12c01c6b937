import { readFile } from 'node:fs/promises';
import { createServer } from 'node:https';
import { join } from 'node:path';

import { formatTime, systemClock } from '#base/clock.ts';
import { systemRandom } from '#base/random.ts';
import { createEcKey, issueCertificate } from '#pki/mod.ts';
import type { TestApi } from './server.ts';

/** What a container uses: cores all the time, and bytes. */
export interface PlayedUsage {
  cores: number;
  memoryBytes: number;
}

/** Kubelets of a node whose pods use what the test says. */
export interface PlayedNode {
  /** By `namespace/pod/container`; to be changed at will. */
  readonly usage: Map<string, PlayedUsage>;
  close(): Promise<void>;
}

/**
 * Makes a Ready node and answers /metrics/resource for it over TLS: the node uses one core and 1 GiB
 * of its 4 cores and 8 GiB, containers what is in `usage`, since a minute ago.
 */
export async function playUsage(api: TestApi, nodeName: string): Promise<PlayedNode> {
  const usage = new Map<string, PlayedUsage>();
  const beginMs = systemClock.now() - 60_000;
  const tls = join(api.dataDir, 'server', 'tls');
  const key = await createEcKey();
  const cert = await issueCertificate({
    authority: {
      certificatePem: await readFile(join(tls, 'server-ca.crt'), 'utf8'),
      keyPem: await readFile(join(tls, 'server-ca.key'), 'utf8'),
    },
    commonName: nodeName,
    ipAddresses: ['127.0.0.1'],
    purposes: ['server'],
    key,
    nowMs: systemClock.now(),
    serial: systemRandom.bytes(8),
  });
  const server = createServer({ cert, key }, (request, response) => {
    const nowMs = systemClock.now();
    const seconds = (nowMs - beginMs) / 1000;
    const rows = [
      `node_cpu_usage_seconds_total ${seconds} ${nowMs}`,
      `node_memory_working_set_bytes ${2 ** 30} ${nowMs}`,
    ];
    for (const [name, { cores, memoryBytes }] of usage) {
      const [namespace = '', pod = '', container = ''] = name.split('/');
      const labels = `{container="${container}",namespace="${namespace}",pod="${pod}"}`;
      rows.push(
        `container_cpu_usage_seconds_total${labels} ${cores * seconds} ${nowMs}`,
        `container_memory_working_set_bytes${labels} ${memoryBytes} ${nowMs}`,
        `container_start_time_seconds${labels} ${beginMs / 1000}`,
      );
    }
    response.statusCode = request.url === '/metrics/resource' ? 200 : 404;
    response.end(`${rows.join('\n')}\n`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const now = formatTime(systemClock.now());
  const amounts = { cpu: '4', memory: '8Gi', pods: '110' };
  const node = {
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: nodeName, labels: { 'kubernetes.io/hostname': nodeName } },
    status: {
      capacity: amounts,
      allocatable: amounts,
      conditions: [
        { type: 'Ready', status: 'True', lastHeartbeatTime: now, lastTransitionTime: now },
      ],
      addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
    },
  };
  await api.request('POST', '/api/v1/nodes', { body: node });
  return {
    usage,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
