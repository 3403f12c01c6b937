import type { Client as GrpcClient, ClientReadableStream, ServiceError } from '@grpc/grpc-js';
import type { Clock } from '#base/clock.ts';
import { K3tsError } from '#base/errors.ts';
import { createMessageCodec } from '../cri/message-codec.ts';
import { deviceTables } from './device-messages.ts';
import type { ContainerDevices, PluginDevice } from './device-messages.ts';

/** A device plugin on its socket; errors carry the text of the plugin. */
export interface PluginClient {
  /** Calls back with all devices at each change; rejects or resolves when the plugin is gone. */
  watch(onDevices: (devices: readonly PluginDevice[]) => void, signal: AbortSignal): Promise<void>;
  allocate(ids: readonly string[]): Promise<ContainerDevices>;
  preferred(request: {
    available: readonly string[];
    mustInclude: readonly string[];
    size: number;
  }): Promise<readonly string[]>;
  preStart(ids: readonly string[]): Promise<void>;
  close(): void;
}

const service = '/v1beta1.DevicePlugin';
const codec = createMessageCodec(deviceTables);
const callMs = 30_000;

export async function connectPlugin(options: {
  socketPath: string;
  clock: Clock;
}): Promise<PluginClient> {
  const { Client, credentials } = await import('@grpc/grpc-js');
  const grpc: GrpcClient = new Client(`unix:${options.socketPath}`, credentials.createInsecure(), {
    'grpc.enable_retries': 0,
    'grpc.service_config_disable_resolution': 1,
  });
  const call = <T extends object>(
    method: string,
    [requestType, responseType]: readonly [string, string],
    request: object,
  ): Promise<T> =>
    new Promise<T>((resolve, reject) => {
      grpc.makeUnaryRequest<object, T>(
        `${service}/${method}`,
        (value) => codec.encode(requestType, value),
        (bytes) => codec.decode<T>(responseType, bytes),
        request,
        { deadline: options.clock.now() + callMs },
        (error, answer) => (error === null ? resolve(answer as T) : reject(failure(error))),
      );
    });

  return {
    watch(onDevices, signal) {
      const stream: ClientReadableStream<{ devices: PluginDevice[] }> =
        grpc.makeServerStreamRequest<object, { devices: PluginDevice[] }>(
          `${service}/ListAndWatch`,
          (value) => codec.encode('Empty', value),
          (bytes) => codec.decode('ListAndWatchResponse', bytes),
          {},
        );
      const cancel = (): void => stream.cancel();
      signal.addEventListener('abort', cancel, { once: true });
      return new Promise<void>((resolve, reject) => {
        stream.on('data', ({ devices }: { devices: PluginDevice[] }) => onDevices(devices));
        stream.on('end', resolve);
        stream.on('error', (error: ServiceError) => reject(failure(error)));
      }).finally(() => signal.removeEventListener('abort', cancel));
    },
    async allocate(ids) {
      const request = { containerRequests: [{ devicesIds: ids }] };
      const types = ['AllocateRequest', 'AllocateResponse'] as const;
      const { containerResponses } = await call<{ containerResponses: ContainerDevices[] }>(
        'Allocate',
        types,
        request,
      );
      const [first] = containerResponses;
      if (first !== undefined) return first;
      throw new K3tsError('DevicePlugin', 'the device plugin answered for no container');
    },
    async preferred({ available, mustInclude, size }) {
      const one = {
        availableDeviceIds: available,
        mustIncludeDeviceIds: mustInclude,
        allocationSize: size,
      };
      const { containerResponses } = await call<{ containerResponses: { deviceIds: string[] }[] }>(
        'GetPreferredAllocation',
        ['PreferredRequest', 'PreferredResponse'],
        { containerRequests: [one] },
      );
      return containerResponses[0]?.deviceIds ?? [];
    },
    async preStart(ids) {
      await call('PreStartContainer', ['PreStartRequest', 'Empty'], { devicesIds: ids });
    },
    close: () => grpc.close(),
  };
}

function failure(error: ServiceError): K3tsError {
  return new K3tsError('DevicePlugin', error.details, { cause: error });
}
