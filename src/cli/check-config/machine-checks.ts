import os from 'node:os';
import { createServer } from 'node:net';

import { statFilesystem } from '#host/disk.ts';
import { limited, ok } from './check.ts';
import type { Check } from './check.ts';

const mebibyte = 1024 * 1024;

function portCheck(port: number, user: string): Check {
  return {
    group: 'machine',
    name: `port ${port}`,
    async run() {
      const isFree = await new Promise<boolean>((resolve) => {
        const server = createServer();
        server.once('error', () => resolve(false));
        server.listen(port, '0.0.0.0', () => server.close(() => resolve(true)));
      });
      if (isFree) return ok('free');
      return limited('in use', `${user} needs it; that is fine if k3ts is running already`);
    },
  };
}

export const machineChecks: readonly Check[] = [
  {
    group: 'machine',
    name: 'memory',
    run: () => {
      const mebibytes = Math.round(os.totalmem() / mebibyte);
      const found = `${mebibytes} MiB, ${os.cpus().length} CPUs`;
      return Promise.resolve(
        mebibytes >= 512 ? ok(found) : limited(found, 'a server needs about 512 MiB'),
      );
    },
  },
  {
    group: 'machine',
    name: 'disk',
    async run() {
      const { availableBytes } = await statFilesystem('/var/lib');
      const found = `${Math.round(availableBytes / mebibyte)} MiB free in /var/lib`;
      return availableBytes > 1024 * mebibyte
        ? ok(found)
        : limited(found, 'images and the datastore need room: a gigabyte is little');
    },
  },
  portCheck(6443, 'the API'),
  portCheck(10_250, 'the kubelet'),
];
