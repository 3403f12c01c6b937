/**
 * The Container Runtime Interface: typed calls to containerd over its unix socket. It knows no pods
 * of the API and keeps no state. Start reading at services.ts, then client.ts.
 */
export { createCriClient } from './client.ts';
export { CriError, grpcCodes, hasGrpcCode, isRuntimeAway } from './cri-error.ts';
export type { CallOptions, CriClient, ImageService, RuntimeService } from './services.ts';
export type * from './types.ts';
export { createMessageCodec, type MessageCodec, type MessageTables } from './message-codec.ts';
