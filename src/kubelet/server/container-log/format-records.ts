import { isSince, parseLogLine, parseLogTime, shownTime } from './log-line.ts';

export interface LogFormat {
  hasTimestamps: boolean;
  /** RFC 3339: earlier records are left out. */
  sinceTime?: string | undefined;
  limitBytes?: number | undefined;
}

/** Longest line of a log file that is looked at; runtimes cut at 16 KiB. */
const maxLineBytes = 1024 * 1024;
const newline = 0x0a;

/** Makes what a client sees out of a log file's bytes, which may come cut anywhere. */
export class RecordFormatter {
  readonly #format: LogFormat;
  readonly #since: ReturnType<typeof parseLogTime>;
  #rest: Buffer = Buffer.alloc(0);
  #leftBytes: number;
  #isLineStart = true;

  constructor(format: LogFormat) {
    this.#format = format;
    const { sinceTime, limitBytes } = format;
    this.#since = sinceTime === undefined ? undefined : parseLogTime(sinceTime);
    this.#leftBytes = limitBytes ?? Number.POSITIVE_INFINITY;
  }

  /** Nothing more comes out: the limit has been reached. */
  get isFull(): boolean {
    return this.#leftBytes <= 0;
  }

  /** The output of the lines that are complete with this chunk. */
  push(chunk: Buffer): Buffer {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const output: Buffer[] = [];
    let start = 0;
    for (let end = bytes.indexOf(newline); end >= 0; end = bytes.indexOf(newline, start)) {
      this.#add(bytes.subarray(start, end), output);
      start = end + 1;
    }
    // The chunk is somebody's buffer, and used again for the next one.
    const rest = bytes.subarray(start);
    this.#rest = rest.length > maxLineBytes ? Buffer.alloc(0) : Buffer.from(rest);
    return Buffer.concat(output);
  }

  /** The output of a last line without its newline. */
  end(): Buffer {
    const output: Buffer[] = [];
    if (this.#rest.length > 0) this.#add(this.#rest, output);
    this.#rest = Buffer.alloc(0);
    return Buffer.concat(output);
  }

  #add(line: Buffer, output: Buffer[]): void {
    if (this.isFull) return;
    const record = parseLogLine(line);
    if (record === undefined) return;
    if (this.#since !== undefined && !isSince(record.timestamp, this.#since)) return;
    if (this.#format.hasTimestamps && this.#isLineStart) {
      this.#write(Buffer.from(`${shownTime(record.timestamp)} `), output);
    }
    this.#isLineStart = !record.isPartial;
    this.#write(record.content, output);
  }

  #write(bytes: Buffer, output: Buffer[]): void {
    const part = bytes.length > this.#leftBytes ? bytes.subarray(0, this.#leftBytes) : bytes;
    this.#leftBytes -= part.length;
    output.push(part);
  }
}
