import { createInflate } from 'node:zlib';
import type { Inflate } from 'node:zlib';
import { headerDictionary } from './header-dictionary.ts';
import { SpdyError } from './spdy-error.ts';

/** Header names in lower case; a header with several values has them separated by NUL. */
export type SpdyHeaders = Readonly<Record<string, string>>;

/** Largest header set taken, unpacked. */
const maxHeaderBytes = 256 * 1024;
/** Most bytes in one stored block of deflate. */
const maxStoredBytes = 65535;
/** An empty stored block: Go's decompressor hands out nothing before it, as after a sync flush. */
const flushBlock = Buffer.from([0, 0, 0, 0xff, 0xff]);
/** A zlib head that says deflate with a 32 KiB window and the dictionary with this Adler-32. */
const zlibHead = Buffer.from([0x78, 0xbb, 0xe3, 0xc6, 0xa7, 0xc2]);

/**
 * Packs the header sets of one direction of a connection. They go out as stored blocks, which is
 * valid zlib that needs no state: the few short sets of a connection are not worth a compressor.
 */
export class HeaderEncoder {
  #hasBegun = false;

  encode(headers: SpdyHeaders): Buffer {
    const plain = encodePlain(headers);
    const parts: Buffer[] = this.#hasBegun ? [] : [zlibHead];
    this.#hasBegun = true;
    for (let at = 0; at < plain.length; at += maxStoredBytes) {
      const data = plain.subarray(at, at + maxStoredBytes);
      const head = Buffer.alloc(5);
      head.writeUInt16LE(data.length, 1);
      head.writeUInt16LE(~data.length & 0xffff, 3);
      parts.push(head, data);
    }
    return Buffer.concat([...parts, flushBlock]);
  }
}

/** Unpacks the header sets of one direction; one at a time, in the order of the wire. */
export class HeaderDecoder {
  readonly #inflate: Inflate = createInflate({ dictionary: headerDictionary });
  #parts: Buffer[] = [];
  #sizeBytes = 0;

  constructor() {
    this.#inflate.on('error', () => undefined);
    this.#inflate.on('readable', () => this.#gather());
  }

  /** Throws SpdyError when the block cannot be unpacked; the connection is of no use then. */
  async decode(block: Buffer): Promise<SpdyHeaders> {
    this.#parts = [];
    this.#sizeBytes = 0;
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const onClose = (): void => reject(this.#inflate.errored ?? tooLarge());
    this.#inflate.once('close', onClose);
    this.#inflate.write(block, (error) => {
      if (error === null || error === undefined) resolve();
      else reject(protocolError(`header block: ${error.message}`));
    });
    await promise;
    this.#inflate.off('close', onClose);
    this.#gather();
    return decodePlain(Buffer.concat(this.#parts));
  }

  close(): void {
    this.#inflate.destroy();
  }

  #gather(): void {
    for (;;) {
      const part = this.#inflate.read() as Buffer | null;
      if (part === null) return;
      this.#sizeBytes += part.length;
      if (this.#sizeBytes > maxHeaderBytes) this.#inflate.destroy(tooLarge());
      else this.#parts.push(part);
    }
  }
}

function tooLarge(): SpdyError {
  return protocolError(`headers of more than ${maxHeaderBytes} bytes`);
}

function protocolError(message: string): SpdyError {
  return new SpdyError('SpdyProtocol', message);
}

function encodePlain(headers: SpdyHeaders): Buffer {
  const entries = Object.entries(headers);
  const parts = [counted(entries.length)];
  for (const [name, value] of entries) {
    for (const text of [name.toLowerCase(), value]) {
      const bytes = Buffer.from(text);
      parts.push(counted(bytes.length), bytes);
    }
  }
  return Buffer.concat(parts);
}

function counted(count: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(count);
  return bytes;
}

function decodePlain(bytes: Buffer): SpdyHeaders {
  let at = 0;
  const number = (): number => {
    if (at + 4 > bytes.length) throw protocolError('header block ends early');
    at += 4;
    return bytes.readUInt32BE(at - 4);
  };
  const text = (): string => {
    const size = number();
    if (at + size > bytes.length) throw protocolError('header block ends early');
    at += size;
    return bytes.toString('utf8', at - size, at);
  };
  const headers: Record<string, string> = Object.create(null) as Record<string, string>;
  for (let left = number(); left > 0; left--) {
    const name = text().toLowerCase();
    const value = text();
    headers[name] = name in headers ? `${headers[name] ?? ''}\0${value}` : value;
  }
  return headers;
}
