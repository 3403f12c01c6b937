import { gunzipSync } from 'node:zlib';
import type { Answer } from './connection.ts';
import type { Load } from './load.ts';
import { objectProblem, runCell } from './load.ts';
import { podCount, podNamespace } from './writes.ts';

const pods = `/api/v1/namespaces/${podNamespace}/pods`;

export async function runGets(load: Load, forMs: number): Promise<void> {
  for (const clients of [1, 16, 64]) {
    await runCell(load, {
      name: `get pod c=${clients}`,
      clients,
      forMs,
      warmUp: 200,
      operate: async (connection, number) => {
        const name = `pod-${(Math.abs(number) * 7919) % podCount}`;
        const answer = await connection.request('GET', `${pods}/${name}`);
        return { answer, problem: objectProblem(answer, 200, name) };
      },
    });
  }
}

interface Form {
  readonly cell: string;
  readonly query?: string;
  readonly accept?: string;
  readonly acceptEncoding?: string;
  /** Answers how many items the answer has; -1 where only its size can be compared. */
  readonly count: (body: Buffer) => number;
}

interface ListBody {
  items?: unknown[];
  rows?: unknown[];
}

function countJson(body: Buffer): number {
  const { items, rows } = JSON.parse(String(body)) as ListBody;
  return (items ?? rows ?? []).length;
}

const forms: readonly Form[] = [
  { cell: 'rv=0', query: '?resourceVersion=0', count: countJson },
  { cell: 'consistent', count: countJson },
  {
    cell: 'as gzip',
    query: '?resourceVersion=0',
    acceptEncoding: 'gzip',
    count: (body) => countJson(gunzipSync(body)),
  },
  {
    cell: 'as Table',
    query: '?resourceVersion=0',
    accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json',
    count: countJson,
  },
  {
    cell: 'as protobuf',
    query: '?resourceVersion=0',
    accept: 'application/vnd.kubernetes.protobuf',
    count: (body) => (body.toString('latin1', 0, 3) === 'k8s' ? podCount : -1),
  },
];

export async function runLists(load: Load): Promise<void> {
  for (const { cell, query = '', accept, acceptEncoding, count } of forms) {
    // An answer as long as one that was counted has as many items.
    const counted = new Set<number>();
    const problemOf = ({ status, body }: Answer): string | undefined => {
      if (status !== 200) return `status ${status}`;
      if (counted.has(body.length)) return undefined;
      const items = count(body);
      if (items !== podCount) return `${items} items`;
      counted.add(body.length);
      return undefined;
    };
    await runCell(load, {
      name: `list ${podCount} pods ${cell}`,
      clients: 1,
      count: 40,
      forMs: 5000,
      warmUp: 3,
      operate: async (connection) => {
        const answer = await connection.request('GET', `${pods}${query}`, {
          accept,
          acceptEncoding,
        });
        return { answer, problem: problemOf(answer) };
      },
    });
  }
}
