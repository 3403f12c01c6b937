import { access, constants, mkdir } from 'node:fs/promises';

import { K3tsError, messageOf } from '#base/errors.ts';
import type { ServerPaths } from './paths.ts';

/** Makes the server's folders, 0700 as k3s; one clear line when the data dir cannot be used. */
export async function prepareDataDir(dataDir: string, paths: ServerPaths): Promise<void> {
  try {
    await mkdir(dataDir, { recursive: true, mode: 0o755 });
    for (const folder of [paths.server, paths.tls, paths.credentials, paths.database]) {
      await mkdir(folder, { recursive: true, mode: 0o700 });
      await access(folder, constants.R_OK | constants.W_OK | constants.X_OK);
    }
  } catch (error) {
    throw new K3tsError('Usage', `cannot use --data-dir ${dataDir}: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
