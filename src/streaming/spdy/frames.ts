/** Longest data frame: its length has 24 bits. */
export const maxDataBytes = 2 ** 24 - 1;

const frameTypes = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

export const controlTypes: ReadonlyMap<number, keyof typeof frameTypes> = new Map(
  Object.entries(frameTypes).map(([name, type]) => [type, name as keyof typeof frameTypes]),
);

/** Reasons of RST_STREAM. */
export const resetStatus = {
  protocolError: 1,
  invalidStream: 2,
  refusedStream: 3,
  cancel: 5,
  internalError: 6,
} as const;

/** Frames of SPDY/3.1; `block` is a header block as it is on the wire, compressed. */
export type ControlFrame =
  | {
      type: 'synStream';
      streamId: number;
      associatedId: number;
      priority: number;
      isFin: boolean;
      isUnidirectional: boolean;
      block: Buffer;
    }
  | { type: 'synReply' | 'headers'; streamId: number; isFin: boolean; block: Buffer }
  | { type: 'rstStream'; streamId: number; status: number }
  | { type: 'settings'; entries: { id: number; flags: number; value: number }[] }
  | { type: 'ping'; id: number }
  | { type: 'goAway'; lastStreamId: number; status: number }
  | { type: 'windowUpdate'; streamId: number; delta: number };

/** A piece of a data frame; only the last piece of a frame carries its FIN flag. */
export interface DataPiece {
  type: 'data';
  streamId: number;
  isFin: boolean;
  data: Buffer;
}

export type Frame = ControlFrame | DataPiece;

const version = 3;
const finFlag = 1;
const unidirectionalFlag = 2;

/** The bytes of a control frame. */
export function encodeControl(frame: ControlFrame): Buffer {
  switch (frame.type) {
    case 'synStream': {
      const { streamId, associatedId, priority, block } = frame;
      const flags = (frame.isFin ? finFlag : 0) | (frame.isUnidirectional ? unidirectionalFlag : 0);
      const words = [streamId, associatedId, ((priority & 7) << 29) >>> 0];
      // The priority's word is two bytes on the wire.
      return Buffer.concat([
        head('synStream', flags, 10 + block.length),
        uint32s(words).subarray(0, 10),
        block,
      ]);
    }
    case 'synReply':
    case 'headers': {
      const { type, streamId, isFin, block } = frame;
      const first = head(type, isFin ? finFlag : 0, 4 + block.length);
      return Buffer.concat([first, uint32s([streamId]), block]);
    }
    case 'rstStream':
      return fixed('rstStream', [frame.streamId, frame.status]);
    case 'settings':
      return fixed('settings', [
        frame.entries.length,
        ...frame.entries.flatMap(({ id, flags, value }) => [((flags << 24) | id) >>> 0, value]),
      ]);
    case 'ping':
      return fixed('ping', [frame.id]);
    case 'goAway':
      return fixed('goAway', [frame.lastStreamId, frame.status]);
    case 'windowUpdate':
      return fixed('windowUpdate', [frame.streamId, frame.delta]);
  }
}

/** The eight bytes before the data of a data frame. */
export function encodeDataHead(streamId: number, sizeBytes: number, isFin: boolean): Buffer {
  return uint32s([streamId, (((isFin ? finFlag : 0) << 24) | sizeBytes) >>> 0]);
}

/**
 * Reads the body of a control frame. Undefined for types that this protocol version does not have,
 * which a receiver skips; throws a RangeError when the body is shorter than its type needs.
 */
export function decodeControl(type: number, flags: number, body: Buffer): ControlFrame | undefined {
  const name = controlTypes.get(type);
  const isFin = (flags & finFlag) !== 0;
  const id = (offset: number): number => body.readUInt32BE(offset) & 0x7fffffff;
  switch (name) {
    case 'synStream':
      return {
        type: name,
        streamId: id(0),
        associatedId: id(4),
        priority: body.readUInt8(8) >> 5,
        isFin,
        isUnidirectional: (flags & unidirectionalFlag) !== 0,
        block: body.subarray(10),
      };
    case 'synReply':
    case 'headers':
      return { type: name, streamId: id(0), isFin, block: body.subarray(4) };
    case 'rstStream':
      return { type: name, streamId: id(0), status: body.readUInt32BE(4) };
    case 'settings':
      return { type: name, entries: settingsOf(body) };
    case 'ping':
      return { type: name, id: body.readUInt32BE(0) };
    case 'goAway':
      return { type: name, lastStreamId: id(0), status: body.readUInt32BE(4) };
    case 'windowUpdate':
      return { type: name, streamId: id(0), delta: id(4) };
    case undefined:
      return undefined;
  }
}

function settingsOf(body: Buffer): { id: number; flags: number; value: number }[] {
  const count = Math.min(body.readUInt32BE(0), Math.floor((body.length - 4) / 8));
  return Array.from({ length: count }, (_, index) => {
    const at = 4 + index * 8;
    return {
      id: body.readUIntBE(at + 1, 3),
      flags: body.readUInt8(at),
      value: body.readUInt32BE(at + 4),
    };
  });
}

function head(type: keyof typeof frameTypes, flags: number, sizeBytes: number): Buffer {
  return uint32s([
    ((0x8000 | version) * 0x10000 + frameTypes[type]) >>> 0,
    ((flags << 24) | sizeBytes) >>> 0,
  ]);
}

function fixed(type: keyof typeof frameTypes, words: readonly number[]): Buffer {
  return Buffer.concat([head(type, 0, words.length * 4), uint32s(words)]);
}

function uint32s(words: readonly number[]): Buffer {
  const bytes = Buffer.allocUnsafe(words.length * 4);
  words.forEach((word, index) => bytes.writeUInt32BE(word, index * 4));
  return bytes;
}
