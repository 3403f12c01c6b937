import type { Pod } from '#schema/types.ts';
import type { ContainerStatus } from '../cri/mod.ts';
import { messageOf } from '#base/errors.ts';
import { runtimeAnnotations } from '../pods/names.ts';
import type { HostFiles } from '../volume-host.ts';

const maxMessageBytes = 4096;
const maxPodMessageBytes = 12 * 1024;
const maxLogBytes = 2048;
const maxLogLines = 80;

/**
 * What a container that ended says about it: its termination log (the end of it, at most 4096
 * bytes), or the end of its output when it failed without a word and its policy asks for that.
 */
export async function terminationMessage(
  status: ContainerStatus,
  { hostFiles }: { hostFiles: Pick<HostFiles, 'readTail'> },
): Promise<string> {
  const path = status.annotations[runtimeAnnotations.terminationMessagePath] ?? '';
  const policy = status.annotations[runtimeAnnotations.terminationMessagePolicy] ?? '';
  const mount = status.mounts.find(({ containerPath }) => containerPath === path);
  let message = '';
  if (path !== '' && mount !== undefined) {
    try {
      message = (await hostFiles.readTail(mount.hostPath, maxMessageBytes)) ?? '';
    } catch (error) {
      message = `Error on reading termination log ${mount.hostPath}: ${messageOf(error)}`;
    }
  }
  // One that could not even be started has written nothing.
  const hasRun = status.exitCode !== 0 && status.reason !== 'ContainerCannotRun';
  const isFallback = policy === 'FallbackToLogsOnError' && hasRun;
  if (message === '' && isFallback && status.logPath !== '') {
    const tail = (await hostFiles.readTail(status.logPath, 16 * 1024)) ?? '';
    message = lastOutput(tail);
  }
  return message;
}

/** The content of CRI log lines (`time stream tag content`), the last of them. */
function lastOutput(tail: string): string {
  const lines = tail.split('\n').filter((line) => line !== '');
  const output = lines
    .slice(-maxLogLines)
    .map((line) => {
      const match = /^\S+ (?:stdout|stderr) ([FP])\S* ?(.*)$/.exec(line);
      if (match === null) return '';
      return match[1] === 'P' ? (match[2] ?? '') : `${match[2] ?? ''}\n`;
    })
    .join('');
  const bytes = Buffer.from(output);
  return bytes.length <= maxLogBytes ? output : bytes.subarray(-maxLogBytes).toString('utf8');
}

/**
 * What the status of a container shows: the runtime's message and the container's own, cut where
 * the messages of all containers of the pod would exceed 12 KiB together.
 */
export function shownMessage(pod: Pod, fromRuntime: string, own: string): string {
  const { containers = [], initContainers = [], ephemeralContainers = [] } = pod.spec ?? {};
  const count = containers.length + initContainers.length + ephemeralContainers.length;
  const limit = Math.floor(maxPodMessageBytes / Math.max(count, 1));
  const bytes = Buffer.from([fromRuntime, own].filter((one) => one !== '').join(': '));
  return bytes.subarray(0, limit).toString('utf8');
}
