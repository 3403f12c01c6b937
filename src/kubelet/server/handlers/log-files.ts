import { createReadStream } from 'node:fs';
import { readdir, realpath, stat } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join, normalize, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { hasCode } from '#base/errors.ts';
import { KubeletRequestError } from '../request-error.ts';

/** /logs/…: the files below the machine's log directory; nothing outside, links included. */
export async function answerLogFile(
  directory: string,
  path: string,
  response: ServerResponse,
): Promise<void> {
  const root = await realpath(directory);
  let file: string;
  try {
    file = await realpath(join(root, normalize(`/${decodeURIComponent(path)}`)));
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR') || error instanceof URIError) {
      throw new KubeletRequestError(404, '404 page not found\n');
    }
    throw error;
  }
  if (file !== root && !file.startsWith(root + sep)) {
    throw new KubeletRequestError(404, '404 page not found\n');
  }
  const found = await stat(file);
  if (found.isDirectory()) {
    const entries = await readdir(file, { withFileTypes: true });
    const names = entries.map((one) => (one.isDirectory() ? `${one.name}/` : one.name)).sort();
    const lines = names.map((name) => `<a href="${encodeURI(name)}">${escapeHtml(name)}</a>\n`);
    response.setHeader('Content-Type', 'text/html; charset=utf-8');
    response.end(`<!doctype html>\n<pre>\n${lines.join('')}</pre>\n`);
    return;
  }
  if (!found.isFile()) throw new KubeletRequestError(404, '404 page not found\n');
  response.setHeader('Content-Type', 'text/plain; charset=utf-8');
  await pipeline(createReadStream(file), response);
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"]/g, (character) => `&#${character.charCodeAt(0)};`);
}
