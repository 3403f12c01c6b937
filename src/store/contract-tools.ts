import type { TestContext } from 'node:test';
import type { Clock } from '#base/clock.ts';
import type { Backend, KeyValue, StoreEvent } from './backend.ts';
import { StoreError } from './errors.ts';

/** Opens a new store of the driver under test; it is closed when the test ends. */
export type Open = (t: TestContext, clock?: Clock) => Promise<Backend>;

export const encoded =
  (text: string) =>
  (revision: number): Buffer =>
    Buffer.from(`${text}@${revision}`);

/** What a watch has seen; `until` waits for a number of events, failing when the watch ends. */
export class Recorder {
  readonly events: StoreEvent[] = [];
  error: Error | undefined;
  #wake: (() => void) | undefined;

  onEvents(events: readonly StoreEvent[]): void {
    this.events.push(...events);
    this.#wake?.();
  }

  onError(error: Error): void {
    this.error = error;
    this.#wake?.();
  }

  async until(count: number): Promise<readonly StoreEvent[]> {
    while (this.events.length < count) {
      if (this.error !== undefined) throw this.error;
      await this.#next();
    }
    return this.events;
  }

  async untilError(): Promise<Error> {
    while (this.error === undefined) await this.#next();
    return this.error;
  }

  #next(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

export const summary = (events: readonly StoreEvent[]): string[] =>
  events.map(
    ({ type, key, value, previous }) =>
      `${type} ${key} ${value.toString()} was ${previous?.toString() ?? 'none'}`,
  );

export const texts = (items: readonly KeyValue[]): string[] =>
  items.map((item) => `${item.key}=${item.value.toString()}`);

export const code = (expected: string) => (error: unknown) =>
  error instanceof StoreError && error.code === expected;

/** Waits for something that a background task brings about. */
export async function eventually(isTrue: () => Promise<boolean>): Promise<void> {
  while (!(await isTrue())) await new Promise((resolve) => setImmediate(resolve));
}
