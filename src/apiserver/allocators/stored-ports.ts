import type { Random } from '#base/random.ts';
import type { Backend, KeyValue } from '#store/mod.ts';
import { StoreError } from '#store/mod.ts';

import { internalError } from '../api-errors.ts';
import { PortSet } from './port-range.ts';
import type { PortRange } from './port-range.ts';

/** Where upstream keeps which node ports are taken. */
export const nodePortsKey = '/registry/ranges/servicenodeports';
/** Other servers write the same key: so often a change is made again on what they left. */
const maxAttempts = 50;

interface Change {
  run(ports: PortSet): void;
  settle(): void;
  fail(error: unknown): void;
}

interface State {
  readonly revision: number;
  readonly ports: PortSet;
}

/** The one set of node ports that all servers of a datastore share. */
export interface StoredPorts {
  /**
   * Runs `work` on the stored set and stores what it made of it before the promise resolves. What
   * it throws is the answer; it throws before it changes anything. Runs again, on the newer set,
   * when another server was faster; changes that come meanwhile share one write.
   */
  change<T>(work: (ports: PortSet) => T): Promise<T>;
  /** The set as it is stored. */
  read(): Promise<PortSet>;
  /**
   * Puts what `make` gives in place of the stored set, which is absent where none was stored for
   * this range; made again when it changed meanwhile.
   */
  replace(make: (stored: PortSet | undefined) => PortSet): Promise<void>;
  /** The newest set that this server knows of. */
  readonly known: PortSet | undefined;
}

/** `rebuild` gives the ports of stored Services, for a datastore that has no set yet. */
export function createStoredPorts(options: {
  backend: Backend;
  range: PortRange;
  random: Random;
  rebuild: () => Iterable<number>;
}): StoredPorts {
  const { backend, range, random } = options;
  let state: State | undefined;
  let waiting: Change[] = [];
  let running: Promise<void> | undefined;

  const parse = (found: KeyValue): PortSet | undefined => PortSet.parse(found.value, range, random);
  const copy = (ports: PortSet): PortSet => new PortSet({ range, random, taken: ports.ports() });

  async function load(): Promise<State> {
    const found = await backend.get(nodePortsKey);
    const ports = found === undefined ? undefined : parse(found);
    if (found !== undefined && ports !== undefined) {
      state = { revision: found.modRevision, ports };
      return state;
    }
    const made = new PortSet({ range, random, taken: inRange(options.rebuild(), range) });
    return await write(found?.modRevision, made);
  }

  async function write(revision: number | undefined, ports: PortSet): Promise<State> {
    const bytes = ports.encode();
    const stored =
      revision === undefined
        ? await backend.create(nodePortsKey, () => bytes)
        : await backend.update(nodePortsKey, revision, () => bytes);
    state = { revision: stored.modRevision, ports };
    return state;
  }

  /** Until no other server was faster; throws when it always was. */
  async function retried<T>(work: () => Promise<T>): Promise<T> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await work();
      } catch (error) {
        const isRace =
          error instanceof StoreError &&
          (error.code === 'RevisionMismatch' || error.code === 'KeyExists');
        state = undefined;
        if (!isRace) throw error;
        if (attempt === maxAttempts) {
          throw internalError(
            'cannot allocate resources of type servicenodeportallocations at this time',
          );
        }
      }
    }
  }

  async function applyAll(changes: readonly Change[]): Promise<void> {
    const settled = await retried(async () => {
      const isNewest = state !== undefined && backend.exclusive;
      const { revision, ports } = isNewest ? (state as State) : await load();
      const next = copy(ports);
      const done: (() => void)[] = [];
      for (const change of changes) {
        try {
          change.run(next);
          done.push(() => change.settle());
        } catch (error) {
          done.push(() => change.fail(error));
        }
      }
      if (!isSame(ports, next)) await write(revision, next);
      return done;
    });
    for (const settle of settled) settle();
  }

  async function run(): Promise<void> {
    while (waiting.length > 0) {
      const changes = waiting;
      waiting = [];
      try {
        await applyAll(changes);
      } catch (error) {
        for (const change of changes) change.fail(error);
      }
    }
    running = undefined;
  }

  return {
    change: (work) =>
      new Promise((resolve, reject) => {
        let settle = (): void => undefined;
        waiting.push({
          run(ports) {
            const result = work(ports);
            settle = () => resolve(result);
          },
          settle: () => settle(),
          fail: reject,
        });
        running ??= run();
      }),
    async read() {
      return state !== undefined && backend.exclusive ? state.ports : (await load()).ports;
    },
    async replace(make) {
      await retried(async () => {
        const found = await backend.get(nodePortsKey);
        const stored = found === undefined ? undefined : parse(found);
        const next = make(stored === undefined ? undefined : copy(stored));
        if (found !== undefined && stored !== undefined && isSame(stored, next)) {
          state = { revision: found.modRevision, ports: stored };
          return;
        }
        await write(found?.modRevision, next);
      });
    },
    get known() {
      return state?.ports;
    },
  };
}

function isSame(left: PortSet, right: PortSet): boolean {
  return left.takenCount === right.takenCount && left.ports().every((port) => right.has(port));
}

function inRange(ports: Iterable<number>, { from, to }: PortRange): number[] {
  return [...ports].filter((port) => port >= from && port <= to);
}
