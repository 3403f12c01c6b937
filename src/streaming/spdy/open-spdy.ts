import type { Duplex } from 'node:stream';
import { K3tsError } from '#base/errors.ts';
import { listOf } from '../upgrade/headers.ts';
import type { RawHeaders } from '../upgrade/headers.ts';
import { openUpgrade, readAnswerBody } from '../upgrade/open-upgrade.ts';
import { SpdySession } from './session.ts';

const protocolHeader = 'X-Stream-Protocol-Version';
/** What is read of the answer of a server that refuses. */
const maxRefusalBytes = 64 * 1024;

export interface OpenSpdyOptions {
  connection: Duplex;
  host: string;
  path: string;
  /** In order of preference. */
  protocols: readonly string[];
  headers?: RawHeaders;
  signal?: AbortSignal | undefined;
}

/**
 * Switches a connection to SPDY with a POST and says which stream protocol the server picked.
 * Errors have client-go's texts: `unable to upgrade connection: <body of the answer>`.
 */
export async function openSpdy(
  options: OpenSpdyOptions,
): Promise<{ session: SpdySession; protocol: string }> {
  const { connection, host, path, protocols, headers = [], signal } = options;
  const answer = await openUpgrade({
    method: 'POST',
    path,
    headers: [
      'Host',
      host,
      ...headers,
      'Content-Length',
      '0',
      'Connection',
      'Upgrade',
      'Upgrade',
      'SPDY/3.1',
      ...protocols.flatMap((protocol) => [protocolHeader, protocol]),
    ],
    connection,
    signal,
  });
  const { response } = answer;
  if (!answer.isSwitched) {
    const body = (await readAnswerBody(response, maxRefusalBytes)).toString();
    connection.destroy();
    throw new K3tsError('UpgradeRefused', `unable to upgrade connection: ${refusalText(body)}`);
  }
  const picked = listOf(response.headers[protocolHeader.toLowerCase()])[0];
  const session = new SpdySession({ socket: answer.socket, head: answer.head, side: 'client' });
  // Servers from before the negotiation speak the last one, as in upstream's Negotiate.
  const protocol = picked ?? protocols.at(-1) ?? '';
  if (protocols.includes(protocol)) return { session, protocol };
  session.destroy();
  const accepted = listOf(response.headers['x-accepted-stream-protocol-versions']);
  throw new K3tsError(
    'UpgradeRefused',
    `unable to negotiate protocol: client supports [${protocols.join(' ')}], ` +
      `server returned ${JSON.stringify(accepted)}`,
  );
}

/** The message of a Status, or the text as it is. */
function refusalText(body: string): string {
  const text = body.trim();
  if (!text.startsWith('{')) return text;
  try {
    const parsed = JSON.parse(text) as { kind?: unknown; message?: unknown };
    return parsed.kind === 'Status' && typeof parsed.message === 'string' ? parsed.message : text;
  } catch {
    // Not JSON after all: shown as it is.
    return text;
  }
}
