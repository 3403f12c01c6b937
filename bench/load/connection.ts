import { readFileSync } from 'node:fs';
import { connect, type TLSSocket } from 'node:tls';
import { parse } from 'yaml';
import { systemClock } from '#base/clock.ts';

/** Where the server is and who asks, from the admin kubeconfig. */
export interface Target {
  readonly host: string;
  readonly port: number;
  readonly ca: Buffer;
  readonly cert: Buffer;
  readonly key: Buffer;
}

export interface Answer {
  readonly status: number;
  readonly body: Buffer;
  /** From the request's write to the last byte of the answer. */
  readonly tookMs: number;
}

interface Kubeconfig {
  clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
  users: { user: { 'client-certificate-data': string; 'client-key-data': string } }[];
}

export function readTarget(kubeconfig: string): Target {
  const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8')) as Kubeconfig;
  const cluster = clusters[0]!.cluster;
  const user = users[0]!.user;
  const { hostname, port } = new URL(cluster.server);
  const decode = (text: string): Buffer => Buffer.from(text, 'base64');
  return {
    host: hostname,
    port: Number(port),
    ca: decode(cluster['certificate-authority-data']),
    cert: decode(user['client-certificate-data']),
    key: decode(user['client-key-data']),
  };
}

/**
 * One HTTP/1.1 connection with one request at a time, as cheap as possible: load that costs less
 * than the server it measures. Bodies are handed out whole, or as they come to `onChunk`.
 */
export class Connection {
  readonly #socket: TLSSocket;
  readonly #parser = new AnswerParser();
  #done: ((error?: Error) => void) | undefined;

  private constructor(socket: TLSSocket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on('data', (bytes: Buffer) => {
      if (this.#parser.take(bytes)) this.#done?.();
    });
    socket.on('error', (error) => this.#done?.(error));
    socket.on('close', () => this.#done?.(new Error('the server closed the connection')));
  }

  static open(target: Target): Promise<Connection> {
    const { host, port, ca, cert, key } = target;
    return new Promise((resolve, reject) => {
      const socket = connect({ host, port, ca, cert, key, ALPNProtocols: ['http/1.1'] }, () => {
        socket.off('error', reject);
        resolve(new Connection(socket));
      });
      socket.once('error', reject);
    });
  }

  request(
    method: string,
    path: string,
    options: {
      body?: string | undefined;
      contentType?: string | undefined;
      accept?: string | undefined;
      acceptEncoding?: string | undefined;
      onChunk?: ((bytes: Buffer) => void) | undefined;
    } = {},
  ): Promise<Answer> {
    const { body, contentType, accept = 'application/json', acceptEncoding, onChunk } = options;
    let head = `${method} ${path} HTTP/1.1\r\nHost: k3ts\r\nAccept: ${accept}\r\n`;
    if (acceptEncoding !== undefined) head += `Accept-Encoding: ${acceptEncoding}\r\n`;
    if (body !== undefined) {
      head += `Content-Type: ${contentType ?? 'application/json'}\r\n`;
      head += `Content-Length: ${Buffer.byteLength(body)}\r\n`;
    }
    this.#parser.reset(onChunk);
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) throw new Error('the server closed the connection');
      const startMs = systemClock.monotonicMs();
      this.#done = (error) => {
        this.#done = undefined;
        if (error !== undefined) reject(error);
        else {
          const tookMs = systemClock.monotonicMs() - startMs;
          resolve({ status: this.#parser.status, body: this.#parser.body(), tookMs });
        }
      };
      this.#socket.write(`${head}\r\n${body ?? ''}`);
    });
  }

  close(): void {
    this.#done = undefined;
    this.#socket.destroy();
  }
}

const blankLine = Buffer.from('\r\n\r\n');

/** Reads one answer after another; a `Content-Length` or chunks end it. */
class AnswerParser {
  status = 0;
  #parts: Buffer[] = [];
  #rest: Buffer = Buffer.alloc(0);
  #inHead = true;
  /** Bytes still missing of the body or of this chunk with its line end; -1 before a chunk. */
  #missing = 0;
  #isChunked = false;
  #onChunk: ((bytes: Buffer) => void) | undefined;

  reset(onChunk: ((bytes: Buffer) => void) | undefined): void {
    this.#parts = [];
    this.#inHead = true;
    this.#onChunk = onChunk;
  }

  body(): Buffer {
    return this.#parts.length === 1 ? this.#parts[0]! : Buffer.concat(this.#parts);
  }

  /** Answers true when the answer is complete. */
  take(bytes: Buffer): boolean {
    let input = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    this.#rest = Buffer.alloc(0);
    if (this.#inHead) {
      const end = input.indexOf(blankLine);
      if (end < 0) {
        this.#rest = input;
        return false;
      }
      this.#readHead(input.toString('latin1', 0, end));
      input = input.subarray(end + 4);
    }
    return this.#isChunked ? this.#takeChunks(input) : this.#takeBody(input);
  }

  #readHead(head: string): void {
    this.#inHead = false;
    this.status = Number(head.slice(9, 12));
    this.#isChunked = /\r\ntransfer-encoding: *chunked/i.test(head);
    this.#missing = this.#isChunked ? -1 : Number(/\r\ncontent-length: *(\d+)/i.exec(head)?.[1]);
    if (Number.isNaN(this.#missing)) throw new Error('an answer without a length');
  }

  #takeBody(input: Buffer): boolean {
    this.#emit(input);
    this.#missing -= input.length;
    return this.#missing === 0;
  }

  #takeChunks(given: Buffer): boolean {
    let input = given;
    while (input.length > 0) {
      if (this.#missing === -1) {
        const end = input.indexOf('\r\n');
        if (end < 0) break;
        const size = Number.parseInt(input.toString('latin1', 0, end), 16);
        if (size === 0 && input.length < end + 4) break;
        if (size === 0) return true;
        this.#missing = size + 2;
        input = input.subarray(end + 2);
      }
      const count = Math.min(this.#missing, input.length);
      const ofData = Math.min(count, Math.max(0, this.#missing - 2));
      if (ofData > 0) this.#emit(input.subarray(0, ofData));
      this.#missing -= count;
      if (this.#missing === 0) this.#missing = -1;
      input = input.subarray(count);
    }
    this.#rest = input;
    return false;
  }

  #emit(bytes: Buffer): void {
    if (this.#onChunk === undefined) this.#parts.push(bytes);
    else this.#onChunk(bytes);
  }
}
