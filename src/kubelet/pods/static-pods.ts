import { readFile, stat } from 'node:fs/promises';
import { watch } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '#base/clock.ts';
import { hasCode, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { namesIn, pathKind } from '#host/files.ts';
import type { Pod } from '#schema/types.ts';
import { NoPodError, readPodManifest } from './static-pod-manifest.ts';

const maxManifestBytes = 10 * 1024 * 1024;

/** Editors write a file in several steps; they are read once. */
const settleMs = 100;

/** Pods from manifest files. Files that cannot be used keep out, with an error in the log. */
export interface StaticPodSource {
  run(signal: AbortSignal): Promise<void>;
}

/**
 * `path` is a directory, whose files each hold a pod (names that start with a dot are passed over),
 * or one such file. `onPods` is called with all static pods after each change.
 */
export function createStaticPodSource(options: {
  path: string;
  /** How often it is read when it does not tell of changes. */
  rereadMs: number;
  nodeName: string;
  clock: Clock;
  log: Logger;
  onPods: (pods: readonly Pod[]) => void;
}): StaticPodSource {
  const { path: top, rereadMs, nodeName, clock, log } = options;
  /** What was read of each file; a pod is read again only when its text is another. */
  const known = new Map<string, { text: string; pod: Pod | undefined }>();
  let lastProblem = '';

  const read = async (path: string): Promise<{ text: string; pod: Pod | undefined }> => {
    let text = '';
    try {
      text = await readManifest(path);
      const before = known.get(path);
      if (before?.text === text) return before;
      return { text, pod: await readPodManifest(text, { source: 'file', path, nodeName, clock }) };
    } catch (error) {
      const problem = fileError(path, error);
      const failed = { text: text || problem, pod: undefined };
      // Gone since the directory was read, or told already.
      if (hasCode(error, 'ENOENT') || known.get(path)?.text === failed.text) return failed;
      if (hasCode(error, 'EISDIR')) log.error(directoryText, { path });
      else log.error('Could not process manifest file', { path, error: problem });
      return failed;
    }
  };
  const readPods = async (): Promise<void> => {
    const paths = await manifestPaths(top);
    let isChanged = false;
    for (const path of paths) {
      const before = known.get(path);
      const now = await read(path);
      if (before?.text === now.text) continue;
      known.set(path, now);
      isChanged = true;
    }
    for (const path of known.keys()) {
      if (paths.includes(path)) continue;
      known.delete(path);
      isChanged = true;
    }
    if (!isChanged) return;
    options.onPods([...known.values()].flatMap(({ pod }) => (pod === undefined ? [] : [pod])));
  };

  return {
    async run(signal) {
      while (!signal.aborted) {
        try {
          await readPods();
          lastProblem = '';
        } catch (error) {
          const problem = messageOf(error);
          if (problem !== lastProblem)
            log.error('Unable to read config path', { path: top, error: problem });
          lastProblem = problem;
        }
        await changeOrTimeout(top, { rereadMs, clock, signal });
      }
    },
  };
}

async function manifestPaths(top: string): Promise<string[]> {
  const kind = await pathKind(top);
  if (kind === undefined) return [];
  if (kind === 'file') return [top];
  if (kind !== 'directory') throw new Error('path is not a directory or file');
  const names = (await namesIn(top)).filter((name) => !name.startsWith('.'));
  return names.sort().map((name) => join(top, name));
}

const directoryText = 'Provided manifest path is a directory, not recursing into manifest path';

async function readManifest(path: string): Promise<string> {
  const { size } = await stat(path);
  if (size > maxManifestBytes) throw new Error('the read limit is reached');
  return await readFile(path, 'utf8');
}

/** Upstream's text of a manifest that holds no pod. */
function fileError(path: string, error: unknown): string {
  if (!(error instanceof NoPodError)) return messageOf(error);
  return `${path}: couldn't parse as pod(${messageOf(error)}), please check config file`;
}

/** Resolves soon after a change, after `rereadMs`, or when the signal is aborted. */
function changeOrTimeout(
  path: string,
  { rereadMs, clock, signal }: { rereadMs: number; clock: Clock; signal: AbortSignal },
): Promise<void> {
  return new Promise((resolve) => {
    let watcher: ReturnType<typeof watch> | undefined;
    const done = (): void => {
      timer.cancel();
      watcher?.close();
      signal.removeEventListener('abort', done);
      resolve();
    };
    let timer = clock.after(rereadMs, done);
    signal.addEventListener('abort', done, { once: true });
    try {
      watcher = watch(path, () => {
        timer.cancel();
        timer = clock.after(settleMs, done);
      });
      watcher.on('error', done);
    } catch {
      // Nothing there yet: the next read finds it.
    }
  });
}
