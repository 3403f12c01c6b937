import type { Clock } from '#base/clock.ts';
import type { MessageTables } from '../cri/message-codec.ts';
import { createUnaryChannel } from './unary-channel.ts';

/** pluginregistration.v1: what a plugin says of itself on its socket in `plugins_registry`. */
export const registrationTables: MessageTables = {
  messageFields: {
    InfoRequest: '',
    PluginInfo: '1 type string, 2 name string, 3 endpoint string, 4 supported_versions string[]',
    RegistrationStatus: '1 plugin_registered bool, 2 error string',
    RegistrationStatusResponse: '',
  },
  enumValues: {},
};

export interface PluginInfo {
  /** CSIPlugin, DevicePlugin, DRAPlugin. */
  readonly type: string;
  readonly name: string;
  /** Socket of the plugin's own service; empty: the one it registers on. */
  readonly endpoint: string;
  readonly supportedVersions: readonly string[];
}

const service = '/pluginregistration.Registration';
const timeoutMs = 10_000;

/** A conversation on a registration socket; to be closed. */
export function openRegistration(options: { socketPath: string; clock: Clock }) {
  const channel = createUnaryChannel({ ...options, tables: registrationTables, timeoutMs });
  return {
    info: (signal: AbortSignal): Promise<PluginInfo> =>
      channel.call({
        path: `${service}/GetInfo`,
        types: ['InfoRequest', 'PluginInfo'],
        request: {},
        signal,
      }),
    /** Tells the plugin that it is taken, or why not. */
    async notify(error: string | undefined): Promise<void> {
      await channel.call({
        path: `${service}/NotifyRegistrationStatus`,
        types: ['RegistrationStatus', 'RegistrationStatusResponse'],
        request: { pluginRegistered: error === undefined, error: error ?? '' },
      });
    },
    close: () => channel.close(),
  };
}
