import { systemClock } from '#base/clock.ts';
import type { Measurement } from '../measurement.ts';
import { percentiles } from '../measurement.ts';
import { findProcesses, processUsage } from '../process-usage.ts';
import type { Answer, Target } from './connection.ts';
import { Connection } from './connection.ts';

/** What cells share: the server, its process, connections, and where results go. */
export interface Load {
  readonly target: Target;
  readonly serverPid: number;
  /** A connection of the pool; the same number gives the same one. */
  connection(number: number): Promise<Connection>;
  /** One request that must succeed. */
  must(
    method: string,
    path: string,
    body?: object,
    okStatuses?: readonly number[],
  ): Promise<Answer>;
  report(measurement: Measurement): void;
  close(): void;
}

export interface Cell {
  readonly name: string;
  readonly clients: number;
  /** Ends at this many operations. */
  readonly count?: number | undefined;
  /** Ends after this time; with `count`, what comes first. */
  readonly forMs?: number | undefined;
  /** Operations before measuring starts. */
  readonly warmUp?: number | undefined;
  /** Does one operation; answers what is wrong with its answer, or nothing. */
  readonly operate: (
    connection: Connection,
    number: number,
    client: number,
  ) => Promise<{ answer: Answer; problem?: string | undefined }>;
}

export function createLoad(target: Target, report: (one: Measurement) => void): Load {
  const pool: Promise<Connection>[] = [];
  const serverPid = findProcesses(/^k3ts server/)[0] ?? 0;
  const connection = (number: number): Promise<Connection> =>
    (pool[number] ??= Connection.open(target));
  return {
    target,
    serverPid,
    connection,
    async must(method, path, body, okStatuses = [200, 201, 202]) {
      const first = await connection(0);
      const text = body === undefined ? undefined : JSON.stringify(body);
      const answer = await first.request(method, path, { body: text });
      if (!okStatuses.includes(answer.status)) {
        throw new Error(`${method} ${path}: ${answer.status} ${String(answer.body)}`);
      }
      return answer;
    },
    report,
    close() {
      for (const one of pool) void one.then((opened) => opened.close());
    },
  };
}

/** Clients that each wait for their answer before the next operation, and what that cost. */
export async function runCell(load: Load, cell: Cell): Promise<void> {
  const { name, clients, count = Infinity, forMs = 10_000, warmUp = 0, operate } = cell;
  const connections = await Promise.all(
    Array.from({ length: clients }, (_, client) => load.connection(client)),
  );
  for (let i = 1; i <= warmUp; i += 1) await operate(connections[0]!, -i, 0);
  const took: number[] = [];
  const problems = new Map<string, number>();
  const before = processUsage(load.serverPid);
  const startMs = systemClock.monotonicMs();
  let next = 0;
  await Promise.all(
    connections.map(async (connection, client) => {
      while (next < count && systemClock.monotonicMs() - startMs < forMs) {
        const { answer, problem } = await operate(connection, next++, client);
        if (problem === undefined) took.push(answer.tookMs);
        else problems.set(problem, (problems.get(problem) ?? 0) + 1);
      }
    }),
  );
  const elapsedMs = systemClock.monotonicMs() - startMs;
  const cpuMs = processUsage(load.serverPid).cpuMs - before.cpuMs;
  load.report({
    cell: name,
    values: {
      cpuMs: cpuMs / took.length,
      perSecond: (took.length / elapsedMs) * 1000,
      ...percentiles(took),
    },
    problems: [...problems].map(([text, times]) => `${times} times ${text}`),
  });
}

/** Checks an answer with one object. */
export function objectProblem(answer: Answer, status: number, name: string): string | undefined {
  if (answer.status !== status) {
    return `status ${answer.status} ${answer.body.toString('utf8', 0, 200)}`;
  }
  if (!answer.body.includes(`"name":"${name}"`)) return 'another object in the answer';
  return answer.body.includes('"resourceVersion"') ? undefined : 'no resourceVersion';
}
