import { access, readFile } from 'node:fs/promises';
import os from 'node:os';
import { CommandError, runCommand } from './process.ts';

/** `loaded` (now or before), `built-in`, or `missing` when neither is true and modprobe failed. */
export type ModuleState = 'loaded' | 'built-in' | 'missing';

const timeoutMs = 10_000;

/** Names in modules.builtin are paths: `kernel/net/bridge/br_netfilter.ko`. */
export function isBuiltIn(builtinList: string, name: string): boolean {
  const wanted = name.replaceAll('-', '_');
  return builtinList.split('\n').some((line) => {
    const file = line.slice(line.lastIndexOf('/') + 1).replace(/\.ko.*$/, '');
    return file.replaceAll('-', '_') === wanted;
  });
}

/**
 * Makes sure that a kernel module's feature is there. Kernels without modules at all give
 * `missing` for built-in features they do not list, so callers probe the feature itself too.
 */
export async function ensureModule(name: string): Promise<ModuleState> {
  const directory = `/sys/module/${name.replaceAll('-', '_')}`;
  const exists = async (path: string): Promise<boolean> =>
    await access(path).then(
      () => true,
      () => false,
    );
  if (await exists(directory)) {
    // Loaded modules have a reference count, built-in ones only parameters.
    return (await exists(`${directory}/refcnt`)) ? 'loaded' : 'built-in';
  }
  const list = await readFile(`/lib/modules/${os.release()}/modules.builtin`, 'utf8').catch(
    () => '',
  );
  if (isBuiltIn(list, name)) return 'built-in';
  try {
    await runCommand({ command: 'modprobe', args: ['-q', '--', name], timeoutMs });
    return 'loaded';
  } catch (error) {
    if (error instanceof CommandError) return 'missing';
    throw error;
  }
}
