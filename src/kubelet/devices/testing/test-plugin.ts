import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { handleServerStreamingCall, ServerWritableStream } from '@grpc/grpc-js';
import { createMessageCodec } from '../../cri/message-codec.ts';
import { deviceTables } from '../device-messages.ts';
import type { ContainerDevices, PluginDevice } from '../device-messages.ts';

/** A plugin that gives out what it is told to. */
export interface TestPlugin {
  /** Ids of each Allocate, and `preStart …`, in their order. */
  readonly calls: string[];
  /** Other devices from now on. */
  setDevices(devices: readonly PluginDevice[]): void;
  /** Tells the kubelet that it is there; rejects with the kubelet's words. */
  register(): Promise<void>;
  close(): Promise<void>;
}

const codec = createMessageCodec(deviceTables);
const encode =
  (type: string) =>
  (value: object): Buffer =>
    codec.encode(type, value);
const decode =
  (type: string) =>
  (bytes: Buffer): object =>
    codec.decode(type, bytes);

/** Serves the plugin API on `<resource name>.sock` in the directory of device plugins. */
export async function startTestPlugin(options: {
  directory: string;
  resource: string;
  devices: readonly PluginDevice[];
  /** What a container gets for these devices. */
  answer?: (ids: readonly string[]) => Partial<ContainerDevices>;
  /** Prefers the last ones, and wants PreStartContainer. */
  isPicky?: boolean;
}): Promise<TestPlugin> {
  const { Client, Server, ServerCredentials, credentials } = await import('@grpc/grpc-js');
  const { directory, resource, answer = envAnswer, isPicky = false } = options;
  const socket = `${resource.replaceAll('/', '-')}.sock`;
  const streams = new Set<ServerWritableStream<object, object>>();
  const calls: string[] = [];
  let devices = options.devices;
  const server = new Server();
  const unary = (
    method: string,
    [requestType, responseType]: readonly [string, string],
    work: (request: never) => object,
  ): void => {
    server.register<object, object>(
      `/v1beta1.DevicePlugin/${method}`,
      (call: { request: object }, callback: (error: null, value: object) => void) =>
        callback(null, work(call.request as never)),
      encode(responseType),
      decode(requestType),
      'unary',
    );
  };
  unary('Allocate', ['AllocateRequest', 'AllocateResponse'], (request: AllocateRequest) => ({
    containerResponses: request.containerRequests.map(({ devicesIds }) => {
      calls.push(devicesIds.join(','));
      return answer(devicesIds);
    }),
  }));
  unary('PreStartContainer', ['PreStartRequest', 'Empty'], (request: { devicesIds: string[] }) => {
    calls.push(`preStart ${request.devicesIds.join(',')}`);
    return {};
  });
  unary(
    'GetPreferredAllocation',
    ['PreferredRequest', 'PreferredResponse'],
    (request: Preferred) => ({
      containerResponses: request.containerRequests.map((one) => ({
        deviceIds: one.availableDeviceIds.slice(-one.allocationSize),
      })),
    }),
  );
  const listAndWatch: handleServerStreamingCall<object, object> = (call) => {
    streams.add(call);
    call.on('cancelled', () => streams.delete(call));
    call.write({ devices });
  };
  server.register<object, object>(
    '/v1beta1.DevicePlugin/ListAndWatch',
    listAndWatch,
    encode('ListAndWatchResponse'),
    decode('Empty'),
    'serverStream',
  );
  const path = join(directory, socket);
  await rm(path, { force: true });
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(`unix:${path}`, ServerCredentials.createInsecure(), (error) =>
      error === null ? resolve() : reject(error),
    );
  });
  return {
    calls,
    setDevices(next) {
      devices = next;
      for (const stream of streams) stream.write({ devices });
    },
    async register() {
      const client = new Client(
        `unix:${join(directory, 'kubelet.sock')}`,
        credentials.createInsecure(),
      );
      const request = {
        version: 'v1beta1',
        endpoint: socket,
        resourceName: resource,
        options: { preStartRequired: isPicky, getPreferredAllocationAvailable: isPicky },
      };
      await new Promise<void>((resolve, reject) => {
        client.makeUnaryRequest(
          '/v1beta1.Registration/Register',
          encode('RegisterRequest'),
          decode('Empty'),
          request,
          (error) => (error === null ? resolve() : reject(error)),
        );
      }).finally(() => client.close());
    },
    async close() {
      server.forceShutdown();
      await rm(path, { force: true });
    },
  };
}

interface AllocateRequest {
  readonly containerRequests: readonly { readonly devicesIds: readonly string[] }[];
}

interface Preferred {
  readonly containerRequests: readonly {
    readonly availableDeviceIds: readonly string[];
    readonly allocationSize: number;
  }[];
}

function envAnswer(ids: readonly string[]): Partial<ContainerDevices> {
  return { envs: { DEVICES: ids.join(',') } };
}
