import { formatDuration } from '#base/duration.ts';
import type { Clock } from '#base/clock.ts';

import type { PathAnswer, PathRoute } from '../path-route.ts';
import type { FlowControl, FlowEntry } from './flow-control.ts';

const prefix = '/debug/api_priority_and_fairness/';
const minWidth = 8;

/** The tables that show what flow control does, in upstream's form. */
export function createDumpRoutes(options: { flowControl: FlowControl; clock: Clock }): PathRoute[] {
  const { flowControl, clock } = options;
  const route = (path: string, rows: (query: URLSearchParams) => string[][]): PathRoute => ({
    path: `${prefix}${path}`,
    handle: ({ context }) => textAnswer(tabulate(rows(context.query))),
  });
  return [
    route('dump_priority_levels', () => levelRows(flowControl)),
    route('dump_queues', () => queueRows(flowControl)),
    route('dump_requests', (query) => requestRows(flowControl, clock, query)),
  ];
}

function levelRows(flowControl: FlowControl): string[][] {
  const rows = flowControl.state.levels.map((level) => [
    level.name,
    String(level.queues.activeQueues),
    String(level.queues.executing === 0 && level.queues.waiting === 0),
    'false',
    String(level.queues.waiting),
    String(level.queues.executing),
    String(level.dispatched),
    String(level.rejected),
    String(level.timedOut),
    String(level.cancelled),
  ]);
  return [
    [
      'PriorityLevelName',
      'ActiveQueues',
      'IsIdle',
      'IsQuiescing',
      'WaitingRequests',
      'ExecutingRequests',
      'DispatchedRequests',
      'RejectedRequests',
      'TimedoutRequests',
      'CancelledRequests',
    ],
    ...rows,
  ];
}

function queueRows(flowControl: FlowControl): string[][] {
  const rows = flowControl.state.levels.flatMap((level) =>
    level.queues.queues.map((queue) => [
      level.name,
      String(queue.index),
      String(queue.waiting.length),
      String(queue.executing),
      String(queue.seatsInUse),
      `${queue.nextDispatch.toFixed(8)}ss`,
      String(queue.waitingSeats),
      String(queue.waitingMaxSeats),
      `${queue.waitingWork.toFixed(8)}ss`,
    ]),
  );
  return [
    [
      'PriorityLevelName',
      'Index',
      'PendingRequests',
      'ExecutingRequests',
      'SeatsInUse',
      'NextDispatchR',
      'InitialSeatsSum',
      'MaxSeatsSum',
      'TotalWorkSum',
    ],
    ...rows,
  ];
}

function requestRows(flowControl: FlowControl, clock: Clock, query: URLSearchParams): string[][] {
  const hasDetails = isTrue(query.get('includeRequestDetails'));
  const offsetMs = clock.now() - clock.monotonicMs();
  const entries = [...flowControl.entries].sort((a, b) =>
    a.flow.level.name < b.flow.level.name ? -1 : 1,
  );
  return [
    [
      'PriorityLevelName',
      'FlowSchemaName',
      'QueueIndex',
      'RequestIndexInQueue',
      'FlowDistingsher',
      'ArriveTime',
      'InitialSeats',
      'FinalSeats',
      'AdditionalLatency',
      'StartTime',
      ...(hasDetails
        ? ['UserName', 'Verb', 'APIPath', 'Namespace', 'Name', 'APIVersion', 'Resource']
        : []),
      ...(hasDetails ? ['SubResource'] : []),
    ],
    ...entries.map((entry) => [
      ...requestRow(entry, offsetMs),
      ...(hasDetails ? detailRow(entry) : []),
    ]),
  ];
}

function requestRow({ flow, request, distinguisher, arrivedMs }: FlowEntry, offsetMs: number) {
  const { queue } = request;
  const time = (atMs: number): string => new Date(atMs + offsetMs).toISOString();
  return [
    flow.level.name,
    flow.schema.name,
    String(queue?.index ?? -1),
    String(queue?.waiting.indexOf(request) ?? -1),
    distinguisher,
    time(arrivedMs),
    String(request.initialSeats),
    String(request.finalSeats),
    formatDuration(request.extraMs),
    request.isWaiting ? '0001-01-01T00:00:00Z' : time(request.startMs),
  ];
}

function detailRow({ context }: FlowEntry): string[] {
  const { user, info } = context;
  const groupVersion = info.group === '' ? info.version : `${info.group}/${info.version}`;
  return [
    user.name,
    info.verb,
    info.path,
    info.namespace,
    info.name,
    groupVersion,
    info.resource,
    info.subresource,
  ];
}

function isTrue(text: string | null): boolean {
  return text !== null && /^(1|t|true)$/i.test(text);
}

/** Columns as wide as their widest cell, each but the last closed by a comma. */
function tabulate(rows: readonly (readonly string[])[]): string {
  const last = (rows[0]?.length ?? 0) - 1;
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(minWidth, ...rows.map((row) => (row[column] ?? '').length + 2)),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, at) => (at === last ? cell : `${cell},`.padEnd(widths[at] ?? minWidth)))
      .join('');
  return rows.map((row) => `${line(row)}\n`).join('');
}

function textAnswer(body: string): PathAnswer {
  return {
    status: 200,
    headers: {
      'Content-Type': 'text/plain; charset=utf-8',
      'X-Content-Type-Options': 'nosniff',
    },
    body,
  };
}
