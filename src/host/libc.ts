import { createRequire } from 'node:module';
import { K3tsError } from '#base/errors.ts';

/**
 * The only place of native calls. Each call is synchronous and quick (local file systems only), so
 * that errno is read on the thread that made the call.
 */
interface Libc {
  mount(
    source: string | null,
    target: string,
    type: string | null,
    flags: number,
    data: string | null,
  ): number;
  umount2(target: string, flags: number): number;
  prctl(option: number, argument: number): number;
  errno(): number;
}

interface Koffi {
  load(path: string | null): { func(declaration: string): (...args: unknown[]) => number };
  errno(): number;
}

let loaded: Libc | undefined;

function libc(): Libc {
  if (loaded !== undefined) return loaded;
  const koffi = createRequire(import.meta.url)('koffi') as Koffi;
  // The process' own symbols: works with glibc and musl alike.
  const library = koffi.load(null);
  const mount = library.func(
    'int mount(const char *source, const char *target, const char *type, ' +
      'unsigned long flags, const char *data)',
  );
  const umount2 = library.func('int umount2(const char *target, int flags)');
  const prctl = library.func('int prctl(int option, unsigned long argument)');
  loaded = { mount, umount2, prctl, errno: () => koffi.errno() };
  return loaded;
}

const errnoNames: Readonly<Record<number, readonly [string, string]>> = {
  1: ['EPERM', 'operation not permitted'],
  2: ['ENOENT', 'no such file or directory'],
  5: ['EIO', 'input/output error'],
  12: ['ENOMEM', 'cannot allocate memory'],
  13: ['EACCES', 'permission denied'],
  15: ['ENOTBLK', 'block device required'],
  16: ['EBUSY', 'device or resource busy'],
  19: ['ENODEV', 'no such device'],
  20: ['ENOTDIR', 'not a directory'],
  22: ['EINVAL', 'invalid argument'],
  28: ['ENOSPC', 'no space left on device'],
  30: ['EROFS', 'read-only file system'],
  36: ['ENAMETOOLONG', 'file name too long'],
  40: ['ELOOP', 'too many levels of symbolic links'],
};

/** A system call that failed; `code` is the errno's name, as in Node's own errors. */
export class SystemCallError extends K3tsError {
  readonly errno: number;

  constructor(what: string, errno: number) {
    const [name, text] = errnoNames[errno] ?? [`E${errno}`, `errno ${errno}`];
    super(name, `${what}: ${text}`);
    this.errno = errno;
  }
}

let trimHeap: ((padBytes: number) => number) | undefined;

/**
 * Gives free pages inside the C heap back to the system (malloc_trim): what a burst allocated and
 * freed outside the engine's heap. Takes about a millisecond for each 10 MB. Does nothing with a C
 * library that has no such call (musl).
 */
export function returnFreePages(): void {
  trimHeap ??= findTrim();
  trimHeap(0);
}

function findTrim(): (padBytes: number) => number {
  const koffi = createRequire(import.meta.url)('koffi') as Koffi;
  try {
    return koffi.load(null).func('int malloc_trim(size_t pad)');
  } catch {
    return () => 0;
  }
}

export const mountFlags = {
  readOnly: 0x1,
  noSuid: 0x2,
  noDev: 0x4,
  noExec: 0x8,
  remount: 0x20,
  noAtime: 0x400,
  bind: 0x1000,
  recursive: 0x4000,
  unbindable: 0x20000,
  private: 0x40000,
  slave: 0x80000,
  shared: 0x100000,
  relAtime: 0x200000,
} as const;

/** mount(2). Throws SystemCallError. */
export function callMount(options: {
  source?: string | undefined;
  target: string;
  type?: string | undefined;
  flags?: number | undefined;
  data?: string | undefined;
}): void {
  const { source = null, target, type = null, flags = 0, data = null } = options;
  if (libc().mount(source, target, type, flags, data) === 0) return;
  const errno = libc().errno();
  const from = source === null ? '' : ` ${source} on`;
  throw new SystemCallError(`mount${type === null ? '' : ` -t ${type}`}${from} ${target}`, errno);
}

const detachFlag = 2;
const noFollowFlag = 8;

/** umount2(2), never through a symlink. Lazy detaches now and frees when nobody uses it. */
export function callUnmount(target: string, options: { lazy?: boolean | undefined } = {}): void {
  const flags = noFollowFlag | (options.lazy === true ? detachFlag : 0);
  if (libc().umount2(target, flags) === 0) return;
  throw new SystemCallError(`umount ${target}`, libc().errno());
}

const setParentDeathSignal = 1;
const signalTerminate = 15;

/**
 * Sends this process SIGTERM when its parent ends, however that ends. Ends at once when the parent
 * is gone already, which is noticed when `parentPid` is given: a parent with pid 1 is normal in a
 * container, so the pid alone says nothing.
 */
export function endWithParent(parentPid: number = process.ppid): void {
  libc().prctl(setParentDeathSignal, signalTerminate);
  if (process.ppid !== parentPid) process.kill(process.pid, 'SIGTERM');
}
