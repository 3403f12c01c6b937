import { constants } from 'node:fs';
import { open, readlink, realpath, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { K3tsError } from '#base/errors.ts';

/** Larger files are refused: their writers are containers. */
const maxFileBytes = 1024 * 1024;

/**
 * The value of `key` in text of lines `NAME='value'`; empty when it is not there, as upstream,
 * which tells neither from the other. A value may span lines and be followed by a comment; blank
 * lines and those that begin with `#` say nothing. Throws for anything else before the key.
 */
export function envFileValue(text: string, key: string): string {
  const lines = text.split(/\r?\n/);
  if (lines.at(-1) === '') lines.pop();
  for (let index = 0; index < lines.length; index++) {
    const number = index + 1;
    const line = trimStart(lines[index] ?? '');
    if (line === '' || line.startsWith('#')) continue;
    const name = nameOf(line, number);
    let rest = line.slice(name.length + 1);
    // As in a shell: a blank ends the empty value.
    if (/^[ \t]/.test(rest)) {
      if (name === key) return '';
      continue;
    }
    if (!rest.startsWith("'")) throw wrong(number, 'value must be enclosed in single quotes');
    rest = rest.slice(1);
    let value = '';
    for (;;) {
      const end = rest.indexOf("'");
      if (end >= 0) {
        value += rest.slice(0, end);
        checkAfter(rest.slice(end + 1), index + 1);
        break;
      }
      value += `${rest}\n`;
      index += 1;
      if (index >= lines.length) throw wrong(number, 'unclosed single quote');
      rest = lines[index] ?? '';
    }
    if (name === key) return value;
  }
  return '';
}

function trimStart(text: string): string {
  return text.replace(/^[ \t]+/, '');
}

function nameOf(line: string, number: number): string {
  const equals = line.indexOf('=');
  if (equals < 0) throw wrong(number, "missing '='");
  const name = line.slice(0, equals);
  if (name.trim() === '') throw wrong(number, 'empty variable name');
  if (/[ \t]$/.test(name)) throw wrong(number, "whitespace before '=' is not allowed");
  return name;
}

function checkAfter(text: string, number: number): void {
  const after = trimStart(text);
  if (after === '' || after.startsWith('#')) return;
  throw wrong(number, 'unexpected content after closing quote');
}

function wrong(line: number, what: string): K3tsError {
  return new K3tsError('EnvFile', `invalid environment variable format at line ${line}: ${what}`);
}

/**
 * The text of a file within a volume. A container may have put anything there: links that leave the
 * volume, pipes and large files are refused.
 */
export async function readEnvFile(volume: string, path: string): Promise<string> {
  const root = await realpath(volume);
  const file = await open(join(root, path), constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    await checkPlace(file, root);
    const found = await file.stat();
    if (!found.isFile()) throw new K3tsError('EnvFile', `${path} is not a file`);
    if (found.size > maxFileBytes) throw new K3tsError('EnvFile', `${path} is too large`);
    const { bytesRead, buffer } = await file.read(Buffer.alloc(found.size), 0, found.size, 0);
    return buffer.subarray(0, bytesRead).toString('utf8');
  } finally {
    await file.close();
  }
}

/** What was opened counts, not what the path says by now. */
async function checkPlace({ fd }: FileHandle, root: string): Promise<void> {
  const real = await readlink(`/proc/self/fd/${fd}`);
  if (real.startsWith(`${root}/`)) return;
  throw new K3tsError('EnvFile', `${real} is outside of the volume`);
}
