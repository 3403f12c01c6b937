/** Subprotocol in which the client can close single streams. */
export const channelProtocolV5 = 'v5.channel.k8s.io';

/** First byte of every message: which stream it belongs to. */
export const channels = {
  stdin: 0,
  stdout: 1,
  stderr: 2,
  error: 3,
  resize: 4,
  close: 255,
} as const;

export type ChannelMessage =
  | { type: 'data'; channel: number; data: Buffer }
  /** The sender is done with this channel. */
  | { type: 'close'; channel: number }
  /** Nothing: empty messages keep connections alive. */
  | { type: 'empty' }
  | { type: 'invalid'; text: string };

/** Reads a binary message of v5.channel.k8s.io. */
export function decodeChannelMessage(message: Buffer): ChannelMessage {
  const [channel] = message;
  if (channel === undefined) return { type: 'empty' };
  if (channel !== channels.close) return { type: 'data', channel, data: message.subarray(1) };
  const [, closed = channels.close] = message;
  if (message.length !== 2 || closed > channels.resize) {
    return { type: 'invalid', text: `close message of ${message.length} bytes for ${closed}` };
  }
  return { type: 'close', channel: closed };
}

/** A message with `data` for a channel. */
export function encodeChannelMessage(channel: number, data: Uint8Array): Buffer {
  const message = Buffer.allocUnsafe(data.length + 1);
  message[0] = channel;
  message.set(data, 1);
  return message;
}
