/** One record of a container's log file. */
export interface LogRecord {
  /** As the runtime wrote it: RFC 3339 with up to nine digits of a second. */
  timestamp: string;
  stream: string;
  /** The record's line goes on in the next record. */
  isPartial: boolean;
  /** With the newline when the line ends here. */
  content: Buffer;
}

const space = 0x20;
const newline = 0x0a;
const brace = 0x7b;
const lineEnd = Buffer.from('\n');

/**
 * Reads a line, given without its newline: `<time> <stream> <tags> <text>`, or Docker's JSON.
 * Undefined for what is neither.
 */
export function parseLogLine(line: Buffer): LogRecord | undefined {
  if (line[0] === brace) return parseDockerLine(line);
  const timeEnd = line.indexOf(space);
  const streamEnd = line.indexOf(space, timeEnd + 1);
  if (timeEnd <= 0 || streamEnd < 0) return undefined;
  const stream = line.toString('latin1', timeEnd + 1, streamEnd);
  if (stream !== 'stdout' && stream !== 'stderr') return undefined;
  const tagsEnd = line.indexOf(space, streamEnd + 1);
  if (tagsEnd < 0) return undefined;
  const tags = line.toString('latin1', streamEnd + 1, tagsEnd);
  const isPartial = tags === 'P' || tags.startsWith('P:');
  const text = line.subarray(tagsEnd + 1);
  return {
    timestamp: line.toString('latin1', 0, timeEnd),
    stream,
    isPartial,
    content: isPartial ? text : Buffer.concat([text, lineEnd]),
  };
}

function parseDockerLine(line: Buffer): LogRecord | undefined {
  try {
    const { log, stream, time } = JSON.parse(line.toString()) as Record<string, unknown>;
    if (typeof log !== 'string' || typeof stream !== 'string' || typeof time !== 'string') {
      return undefined;
    }
    const content = Buffer.from(log);
    return { timestamp: time, stream, isPartial: content.at(-1) !== newline, content };
  } catch {
    // Not a record: left out, as upstream does.
    return undefined;
  }
}

const timePattern = /^(.{19})(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/;

/** A point in time with its nanoseconds, for comparing; undefined for what is no RFC 3339. */
export function parseLogTime(text: string): { ms: number; nanoseconds: number } | undefined {
  const match = timePattern.exec(text);
  if (match === null) return undefined;
  const ms = Date.parse(`${match[1] ?? ''}${match[3] ?? ''}`);
  if (Number.isNaN(ms)) return undefined;
  return { ms, nanoseconds: Number((match[2] ?? '').padEnd(9, '0').slice(0, 9)) };
}

/** Whether `text` is `since` or later. */
export function isSince(text: string, since: { ms: number; nanoseconds: number }): boolean {
  const time = parseLogTime(text);
  if (time === undefined) return true;
  return time.ms > since.ms || (time.ms === since.ms && time.nanoseconds >= since.nanoseconds);
}

/** The time before a line of output: always nine digits, in the zone it was written in. */
export function shownTime(timestamp: string): string {
  const match = timePattern.exec(timestamp);
  if (match === null) return timestamp;
  return `${match[1] ?? ''}.${(match[2] ?? '').padEnd(9, '0').slice(0, 9)}${match[3] ?? ''}`;
}
