import { enumValues, messageFields } from './generated/messages.ts';
import { createMessageCodec } from './message-codec.ts';

const codec = createMessageCodec({ messageFields, enumValues });

/** The proto3 bytes of a CRI message. */
export const encodeMessage = codec.encode;

/** A CRI message out of its bytes; see MessageCodec. */
export const decodeMessage = codec.decode;
