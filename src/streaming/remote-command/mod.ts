/**
 * Exec and attach on the wire: the channels of v5.channel.k8s.io and their translation to SPDY. It
 * does not decide where a command runs. Start reading at translate.ts.
 */
export { channelProtocolV5 } from './channels.ts';
export { readErrorStream } from './error-stream.ts';
export type { CommandStatus } from './error-stream.ts';
export type { RemoteCommandStreams } from './channel-socket.ts';
export { remoteCommandProtocols, translateRemoteCommand } from './translate.ts';
export type { TranslateOptions } from './translate.ts';
