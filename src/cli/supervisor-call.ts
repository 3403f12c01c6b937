import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import { K3tsError, messageOf } from '#base/errors.ts';
import { https } from '#base/node-http.ts';
import { parseJoinToken } from '#pki/mod.ts';
import type { Flag, FlagValues } from './flags/flag.ts';
import { stringFlag } from './flags/flag.ts';

const group = 'options';

/** How commands that change a running server find it. */
export const supervisorFlags: readonly Flag[] = [
  {
    name: 'data-dir',
    type: 'string',
    short: 'd',
    env: 'K3S_DATA_DIR',
    default: '/var/lib/rancher/k3s',
    help: 'Folder to hold state',
    group,
  },
  {
    name: 'server',
    type: 'string',
    short: 's',
    env: 'K3S_URL',
    default: 'https://127.0.0.1:6443',
    help: 'Server to connect to',
    group,
  },
  {
    name: 'token',
    type: 'string',
    short: 't',
    env: 'K3S_TOKEN',
    help: 'Token to use for authentication; that of the data dir when not given',
    group,
  },
];

interface SupervisorRequest {
  /** For messages: the words that the user typed. */
  readonly command: string;
  readonly method: 'GET' | 'PUT';
  readonly path: string;
  readonly body?: string;
}

/** Calls the supervisor as a server of the cluster; throws with what it answers. */
export async function callSupervisor(
  values: FlagValues,
  { command, method, path, body = '' }: SupervisorRequest,
): Promise<string> {
  const server = join(stringFlag(values, 'data-dir') ?? '', 'server');
  const url = new URL(path, stringFlag(values, 'server'));
  let token: string;
  let ca: string;
  try {
    token = stringFlag(values, 'token') ?? (await readFile(join(server, 'token'), 'utf8'));
    ca = await readFile(join(server, 'tls', 'server-ca.crt'), 'utf8');
  } catch (error) {
    throw new K3tsError('Usage', `${command} runs on a server: ${messageOf(error)}`, {
      cause: error,
    });
  }
  const { password } = parseJoinToken(token.trim());
  return await new Promise((resolve, reject) => {
    const request = https.request(
      url,
      { method, ca, auth: `server:${password}`, headers: { 'Content-Type': 'application/json' } },
      (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (chunk: string) => (text += chunk));
        response.on('end', () => {
          if (response.statusCode === 200) resolve(text);
          else reject(new K3tsError('Refused', messageIn(text)));
        });
      },
    );
    request.on('error', (cause) => {
      reject(
        new K3tsError('Unreachable', `cannot reach ${url.origin}: ${cause.message}`, { cause }),
      );
    });
    request.end(body);
  });
}

function messageIn(text: string): string {
  try {
    return (JSON.parse(text) as { message?: string }).message ?? text;
  } catch {
    // not a Status: shown as it came
    return text;
  }
}
