import { K3tsError, messageOf } from '#base/errors.ts';
import { readOptional } from '#host/files.ts';
import type { DatastoreTls } from '#store/mod.ts';
import type { ServerSettings } from './settings.ts';

/** The files of `--datastore-cafile` and its neighbours; rejects naming the one that is wrong. */
export async function readDatastoreTls({ datastoreTls }: ServerSettings): Promise<DatastoreTls> {
  const read = async (option: string, path: string | undefined): Promise<Buffer | undefined> => {
    if (path === undefined || path === '') return undefined;
    try {
      const text = await readOptional(path);
      if (text === undefined) throw new Error('there is no such file');
      return Buffer.from(text);
    } catch (error) {
      const reason = `Option --${option}: "${path}" cannot be read: ${messageOf(error)}`;
      throw new K3tsError('BadSettings', reason);
    }
  };
  return {
    ca: await read('datastore-cafile', datastoreTls?.caFile),
    certificate: await read('datastore-certfile', datastoreTls?.certificateFile),
    key: await read('datastore-keyfile', datastoreTls?.keyFile),
  };
}
