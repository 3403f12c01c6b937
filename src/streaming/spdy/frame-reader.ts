import { decodeControl } from './frames.ts';
import type { Frame } from './frames.ts';
import { SpdyError } from './spdy-error.ts';

/** Longest control frame taken; the header sets of Kubernetes need a hundredth of it. */
const maxControlBytes = 64 * 1024;
const headBytes = 8;

interface Begun {
  streamId: number;
  isFin: boolean;
  restBytes: number;
}

/**
 * Cuts a byte stream into frames. Control frames come whole, data frames in the pieces in which
 * they arrive, so that a long one needs no memory. Throws SpdyError on what is no SPDY/3.
 */
export class FrameReader {
  #pending: Buffer = Buffer.alloc(0);
  #data: Begun | undefined;

  /** The frames that are complete with this chunk; `data` of pieces refers into the chunk. */
  *read(chunk: Buffer): Generator<Frame> {
    let bytes = this.#pending.length === 0 ? chunk : Buffer.concat([this.#pending, chunk]);
    try {
      while (bytes.length > 0) {
        const next = this.#data === undefined ? this.#begin(bytes) : this.#goOn(this.#data, bytes);
        if (next === undefined) return;
        bytes = next.rest;
        if (next.frame !== undefined) yield next.frame;
      }
    } finally {
      this.#pending = bytes;
    }
  }

  /** The next frame's start: a whole control frame, or the head of a data frame. */
  #begin(bytes: Buffer): { frame?: Frame; rest: Buffer } | undefined {
    if (bytes.length < headBytes) return undefined;
    const flags = bytes.readUInt8(4);
    const sizeBytes = bytes.readUIntBE(5, 3);
    const rest = bytes.subarray(headBytes);
    if ((bytes.readUInt8(0) & 0x80) === 0) {
      const streamId = bytes.readUInt32BE(0);
      if (streamId === 0) throw new SpdyError('SpdyProtocol', 'data frame for stream 0');
      const isFin = (flags & 1) !== 0;
      if (sizeBytes === 0) return { frame: { type: 'data', streamId, isFin, data: empty }, rest };
      this.#data = { streamId, isFin, restBytes: sizeBytes };
      return { rest };
    }
    const version = bytes.readUInt16BE(0) & 0x7fff;
    if (version !== 3) throw new SpdyError('SpdyProtocol', `SPDY version ${version}`);
    if (sizeBytes > maxControlBytes) {
      throw new SpdyError('SpdyProtocol', `control frame of ${sizeBytes} bytes`);
    }
    if (rest.length < sizeBytes) return undefined;
    const frame = decode(bytes.readUInt16BE(2), flags, rest.subarray(0, sizeBytes));
    return { ...(frame === undefined ? {} : { frame }), rest: rest.subarray(sizeBytes) };
  }

  #goOn(begun: Begun, bytes: Buffer): { frame: Frame; rest: Buffer } {
    const data = bytes.subarray(0, begun.restBytes);
    begun.restBytes -= data.length;
    const isLast = begun.restBytes === 0;
    if (isLast) this.#data = undefined;
    const { streamId } = begun;
    const frame: Frame = { type: 'data', streamId, isFin: isLast && begun.isFin, data };
    return { frame, rest: bytes.subarray(data.length) };
  }
}

const empty = Buffer.alloc(0);

function decode(type: number, flags: number, body: Buffer): Frame | undefined {
  try {
    return decodeControl(type, flags, body);
  } catch (error) {
    if (error instanceof RangeError) {
      throw new SpdyError('SpdyProtocol', `control frame of type ${type} is too short`);
    }
    throw error;
  }
}
