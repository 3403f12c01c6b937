import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

import type { Pod } from '#schema/types.ts';

export interface ExtenderServer {
  readonly url: string;
  /** Verbs that were asked, in order, with the pod's name. */
  readonly asked: string[];
  close(): Promise<void>;
}

interface Question {
  Pod?: Pod;
  NodeNames?: string[];
  PodName?: string;
  PodNamespace?: string;
  PodUID?: string;
  Node?: string;
}

/**
 * A node-cache-capable extender: refuses nodes that end with `-no`, likes those that end with
 * `-best`, and binds through `bind`.
 */
export async function startExtender(
  bind: (namespace: string, pod: string, uid: string, node: string) => Promise<void>,
): Promise<ExtenderServer> {
  const asked: string[] = [];
  const answer = async (request: IncomingMessage): Promise<unknown> => {
    const question = JSON.parse(await text(request)) as Question;
    const verb = (request.url ?? '').slice('/scheduler/'.length);
    asked.push(`${verb} ${question.Pod?.metadata.name ?? question.PodName ?? ''}`);
    const names = question.NodeNames ?? [];
    if (verb === 'filter') {
      const refused = names.filter((name) => name.endsWith('-no'));
      return {
        NodeNames: names.filter((name) => !name.endsWith('-no')),
        FailedNodes: Object.fromEntries(refused.map((name) => [name, 'node(s) bore the extender'])),
      };
    }
    if (verb === 'prioritize') {
      return names.map((name) => ({ Host: name, Score: name.endsWith('-best') ? 10 : 0 }));
    }
    const { PodNamespace = '', PodName = '', PodUID = '', Node = '' } = question;
    await bind(PodNamespace, PodName, PodUID, Node);
    return { Error: '' };
  };
  const server = createServer((request, response) => {
    answer(request).then(
      (body) => response.end(JSON.stringify(body)),
      (error: unknown) => response.writeHead(500).end(String(error)),
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/scheduler`,
    asked,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
