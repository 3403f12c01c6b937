import { join } from 'node:path';

import { createNodeDirectories, removeLocalPath, startLocalPath } from '#addons/local-path/mod.ts';
import type { ApiServer } from '#apiserver/mod.ts';
import type { Clock } from '#base/clock.ts';
import type { Logger } from '#base/log.ts';
import type { Random } from '#base/random.ts';
import type { InformerFactory } from '#client/mod.ts';
import { serverUser } from './api-access.ts';
import { isSharedDatastore } from './leadership.ts';
import type { ServerSettings } from './settings.ts';

/** Whoever has nothing left to do goes on leading: this is as good as forever. */
const untilStoppedMs = 2 ** 31 - 1;

/** Provisions local-path volumes while this server leads, or takes the class away. */
export async function runLocalStorage(options: {
  api: ApiServer;
  settings: ServerSettings;
  informers: InformerFactory;
  clock: Clock;
  random: Random;
  log: Logger;
  signal: AbortSignal;
}): Promise<void> {
  const { settings, informers } = options;
  const client = options.api.client(serverUser, 'local-path-provisioner');
  const common = { ...options, client };
  if (settings.disabled.has('local-storage')) {
    await removeLocalPath(common);
    await options.clock.sleep(untilStoppedMs, options.signal).catch(() => undefined);
    return;
  }
  const running = startLocalPath({
    ...common,
    storagePath: settings.localStoragePath ?? join(settings.dataDir, 'storage'),
    directories: createNodeDirectories(client),
  });
  if (isSharedDatastore(settings.datastoreEndpoint)) informers.start();
  await running;
}
