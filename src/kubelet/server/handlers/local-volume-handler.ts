import { hasCode, messageOf } from '#base/errors.ts';
import type { LocalDirectories } from '../../volumes/mod.ts';
import { KubeletRequestError } from '../request-error.ts';

/** PUT makes a local volume's directory, DELETE removes it; both may be repeated. */
export async function changeLocalVolume(
  directories: LocalDirectories,
  method: string,
  path: string,
): Promise<void> {
  try {
    if (method === 'PUT') await directories.make(path);
    else await directories.remove(path);
  } catch (error) {
    const httpCode = hasCode(error, 'DirectoryPath') ? 400 : 500;
    throw new KubeletRequestError(httpCode, messageOf(error), error);
  }
}
