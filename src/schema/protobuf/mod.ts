/**
 * Built-in kinds as application/vnd.kubernetes.protobuf: objects with their envelope to JSON objects
 * and back, and frames of watches. It knows no HTTP and does no defaulting. Start reading at
 * envelope.ts, then codec.ts.
 */
export {
  decodeProtobuf,
  encodeProtobuf,
  encodeProtobufItem,
  encodeProtobufList,
  frameWatchEvent,
  isProtobuf,
  messageNameOfKind,
  openProtobuf,
  protobufMediaType,
} from './envelope.ts';
export type { OpenedEnvelope } from './envelope.ts';
export { ProtobufReader } from './reader.ts';
export { ReverseWriter } from './writer.ts';
