import type { Clock } from '#base/clock.ts';
import { formatTime } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import type { Client } from '#client/mod.ts';
import type { FlowSchema, FlowSchemaCondition, PriorityLevelConfiguration } from '#schema/types.ts';

import type { ObjectReader } from '../authz/object-reader.ts';
import { flowSchemas, priorityLevels } from './flow-control.ts';

/** Changes are gathered for this long before statuses are written. */
const gatherMs = 100;
const retryMs = 5000;

/**
 * Keeps the `Dangling` condition of every FlowSchema true to whether its priority level exists.
 * Runs until the signal is aborted.
 */
export function keepDanglingConditions(options: {
  reader: ObjectReader;
  client: Client;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
}): void {
  const { reader, client, clock, log, signal } = options;
  let isPlanned = false;
  const plan = (delayMs: number): void => {
    if (isPlanned || signal.aborted) return;
    isPlanned = true;
    clock.after(delayMs, () => {
      isPlanned = false;
      if (!signal.aborted) void write();
    });
  };
  const write = async (): Promise<void> => {
    for (const schema of reader.list<FlowSchema>(flowSchemas)) {
      const changed = withCondition(schema, reader, clock.now());
      if (changed === undefined) continue;
      try {
        await client.update(flowSchemas, changed, { subresource: 'status', signal });
      } catch (error) {
        if (signal.aborted) return;
        log.debug('Cannot write the status of a FlowSchema', {
          name: schema.metadata.name,
          error: messageOf(error),
        });
        plan(retryMs);
      }
    }
  };
  const removers = [
    reader.onChange(flowSchemas, () => plan(gatherMs)),
    reader.onChange(priorityLevels, () => plan(gatherMs)),
  ];
  signal.addEventListener('abort', () => removers.forEach((remove) => remove()), { once: true });
}

/** The schema with the condition that holds now; undefined when it says so already. */
function withCondition(
  schema: FlowSchema,
  reader: ObjectReader,
  nowMs: number,
): FlowSchema | undefined {
  const name = schema.spec?.priorityLevelConfiguration.name ?? '';
  const level = reader.get<PriorityLevelConfiguration>(priorityLevels, '', name);
  const wanted = conditionOf(name, level !== undefined, nowMs);
  const conditions = schema.status?.conditions ?? [];
  const old = conditions.find(({ type }) => type === 'Dangling');
  const { status, reason, message } = wanted;
  if (old?.status === status && old?.reason === reason && old?.message === message) {
    return undefined;
  }
  const kept =
    old?.status === status ? { ...wanted, lastTransitionTime: old?.lastTransitionTime } : wanted;
  const others = conditions.filter(({ type }) => type !== 'Dangling');
  return { ...schema, status: { ...schema.status, conditions: [...others, kept] } };
}

function conditionOf(name: string, exists: boolean, nowMs: number): FlowSchemaCondition {
  const start = `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(name)}`;
  return {
    type: 'Dangling',
    status: exists ? 'False' : 'True',
    lastTransitionTime: formatTime(nowMs),
    reason: exists ? 'Found' : 'NotFound',
    message: exists ? `${start} and it exists` : `${start} but there is no such object`,
  };
}
