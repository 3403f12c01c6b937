import type { CacheEntry } from './entry.ts';
import type { CacheEvent } from './event-ring.ts';
import type { Selection } from './selection.ts';
import type { Subscription } from './subscription.ts';

/** Field by which many watchers of one kind select a value each: kubelets watch their pods. */
const indexedField = 'spec.nodeName';
const fieldMark = 'f';

/**
 * Finds the watchers that an event may concern without asking each: a watcher is filed under the
 * narrowest thing its selection fixes (a node, a name, a namespace) or under everything.
 */
export class WatcherIndex {
  readonly #byTrigger = new Map<string, Set<Subscription>>();
  #size = 0;
  /** Watchers that are filed under a field: without any, fields need not be read. */
  #fieldSize = 0;

  get size(): number {
    return this.#size;
  }

  add(subscription: Subscription): void {
    let group = this.#byTrigger.get(subscription.trigger);
    if (group === undefined) {
      group = new Set();
      this.#byTrigger.set(subscription.trigger, group);
    }
    group.add(subscription);
    this.#size++;
    if (subscription.trigger.startsWith(fieldMark)) this.#fieldSize++;
  }

  remove(subscription: Subscription): void {
    const group = this.#byTrigger.get(subscription.trigger);
    if (group === undefined || !group.delete(subscription)) return;
    this.#size--;
    if (subscription.trigger.startsWith(fieldMark)) this.#fieldSize--;
    if (group.size === 0) this.#byTrigger.delete(subscription.trigger);
  }

  /** Calls `visit` for each watcher that `event` may concern, possibly twice. */
  forEvent(event: CacheEvent, visit: (subscription: Subscription) => void): void {
    if (this.#size === 0) return;
    this.#visit('', visit);
    const { entry } = event;
    this.#visit(namespaceTrigger(entry.namespace), visit);
    this.#visit(nameTrigger(entry.name), visit);
    if (this.#fieldSize === 0) return;
    const value = entry.fields[indexedField];
    if (value !== undefined) this.#visit(fieldTrigger(value), visit);
    const before = event.previous?.fields[indexedField];
    if (before !== undefined && before !== value) this.#visit(fieldTrigger(before), visit);
  }

  /** How many watchers a change of this object concerns, but for those filed under a field. */
  countFor(namespace: string, name: string): number {
    const count = (trigger: string): number => this.#byTrigger.get(trigger)?.size ?? 0;
    if (this.#size === 0) return 0;
    return count('') + count(namespaceTrigger(namespace)) + count(nameTrigger(name));
  }

  all(): Subscription[] {
    return [...this.#byTrigger.values()].flatMap((group) => [...group]);
  }

  #visit(trigger: string, visit: (subscription: Subscription) => void): void {
    const group = this.#byTrigger.get(trigger);
    if (group === undefined) return;
    for (const subscription of group) visit(subscription);
  }
}

/** The key under which a watcher with this selection is filed. */
export function triggerOf(selection: Selection): string {
  const name = selection.name === '' ? selection.exactFields['metadata.name'] : selection.name;
  if (name !== undefined) return nameTrigger(name);
  const value = selection.exactFields[indexedField];
  if (value !== undefined) return fieldTrigger(value);
  return selection.namespace === '' ? '' : namespaceTrigger(selection.namespace);
}

const nameTrigger = (name: CacheEntry['name']): string => `n${name}`;
const namespaceTrigger = (namespace: string): string => `s${namespace}`;
const fieldTrigger = (value: string): string => `${fieldMark}${value}`;
