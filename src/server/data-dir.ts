import { prepareDataDirectory } from '#host/data-directory.ts';
import type { ServerPaths } from './paths.ts';

/** Makes the server's folders, 0700 as k3s; one clear line when the data dir cannot be used. */
export async function prepareDataDir(dataDir: string, paths: ServerPaths): Promise<void> {
  const folders = [paths.server, paths.tls, paths.credentials, paths.database];
  await prepareDataDirectory(
    dataDir,
    folders.map((path) => ({ path, mode: 0o700 })),
  );
}
