import type { Clock } from '#base/clock.ts';
import { formatTime } from '#base/clock.ts';
import { hasGrpcCode, grpcCodes } from '../cri/mod.ts';
import type { MessageTables } from '../cri/message-codec.ts';
import { createUnaryChannel } from '../plugins/unary-channel.ts';

/** How a snapshot is mounted: file system, what of it, and options as of mount(8). */
export interface SnapshotMount {
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

/** Read-only views of what images hold, kept by containerd until they are removed. */
export interface ImageSnapshots {
  /** Makes the view, or finds it; `chainId` names the image's uppermost layer. */
  view(key: string, chainId: string): Promise<SnapshotMount[]>;
  /** A view that is gone already is no error. */
  remove(key: string): Promise<void>;
  close(): void;
}

/** The part of containerd.services.snapshots.v1 that is needed, numbers as in its proto file. */
const tables: MessageTables = {
  messageFields: {
    ViewSnapshotRequest: '1 snapshotter string, 2 key string, 3 parent string, 4 labels string{}',
    SnapshotRequest: '1 snapshotter string, 2 key string',
    SnapshotMounts: '1 mounts Mount[]',
    Mount: '1 type string, 2 source string, 3 target string, 4 options string[]',
    Empty: '',
  },
  enumValues: {},
};

/** The CRI's images are in this namespace of containerd. */
const headers = { 'containerd-namespace': 'k8s.io' };
const timeoutMs = 30_000;

export function createImageSnapshots(options: {
  socketPath: string;
  snapshotter: string;
  clock: Clock;
}): ImageSnapshots {
  const { snapshotter, clock } = options;
  const channel = createUnaryChannel({ ...options, tables, timeoutMs, headers });
  const call = <T extends object>(
    method: string,
    types: readonly [string, string],
    request: object,
  ): Promise<T> =>
    channel.call<T>({
      path: `/containerd.services.snapshots.v1.Snapshots/${method}`,
      types,
      request,
    });
  const mountsOf = (method: string, type: string, request: object): Promise<SnapshotMount[]> =>
    call<{ mounts: SnapshotMount[] }>(method, [type, 'SnapshotMounts'], request).then(
      ({ mounts }) => mounts,
    );

  return {
    async view(key, chainId) {
      try {
        // Nothing else refers to the view: the label keeps it and its layers from being collected.
        const labels = { 'containerd.io/gc.root': formatTime(clock.now()) };
        const request = { snapshotter, key, parent: chainId, labels };
        return await mountsOf('View', 'ViewSnapshotRequest', request);
      } catch (error) {
        if (!hasGrpcCode(error, grpcCodes.alreadyExists)) throw error;
        return await mountsOf('Mounts', 'SnapshotRequest', { snapshotter, key });
      }
    },
    async remove(key) {
      try {
        await call('Remove', ['SnapshotRequest', 'Empty'], { snapshotter, key });
      } catch (error) {
        if (!hasGrpcCode(error, grpcCodes.notFound)) throw error;
      }
    },
    close: () => channel.close(),
  };
}
