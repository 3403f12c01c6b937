import type { FlowSchema, PriorityLevelConfiguration } from '#schema/types.ts';

import { defaultFlowSchemas, defaultPriorityLevels } from '../bootstrap/flow-control.ts';
import type { RequestInfo, UserInfo } from '../request.ts';
import type { CompiledSchema } from './compiled-schema.ts';
import { compareSchemas, compileSchema, matchesSchema } from './compiled-schema.ts';
import { divideSeats, nominalSeats } from './concurrency-shares.ts';
import { PriorityLevel, readLevel } from './priority-level.ts';
import { dealHand, flowHash } from './shuffle-shard.ts';

const mandatoryNames: ReadonlySet<string> = new Set(['exempt', 'catch-all']);
/** Flows whose queues are remembered for each schema; all are forgotten beyond that. */
const maxRememberedHands = 4096;

/** A schema that requests are sorted into, with its level and the queues of its flows. */
export interface Flow {
  readonly schema: CompiledSchema;
  readonly level: PriorityLevel;
  readonly hands: Map<string, readonly number[]>;
  /** Of every answer: which objects were in force for the request. */
  readonly headers: Readonly<Record<string, string>>;
}

/** The objects of flow control as they are in force: sorted schemas, levels with their seats. */
export class FlowState {
  readonly #totalSeats: number;
  readonly #levels = new Map<string, PriorityLevel>();
  #flows: readonly Flow[] = [];

  constructor(totalSeats: number, nowMs: number) {
    this.#totalSeats = totalSeats;
    this.replace([], [], nowMs);
  }

  get levels(): PriorityLevel[] {
    return [...this.#levels.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  get flows(): readonly Flow[] {
    return this.#flows;
  }

  /**
   * Takes over the stored objects. The mandatory ones are there even when nobody stores them;
   * schemas of a level that does not exist are left out.
   */
  replace(
    schemas: readonly FlowSchema[],
    levels: readonly PriorityLevelConfiguration[],
    nowMs: number,
  ): void {
    const configs = withMandatory(levels, defaultPriorityLevels()).map(readLevel);
    const allShares = configs.reduce((sum, { shares }) => sum + shares, 0);
    const wanted = new Set(configs.map(({ name }) => name));
    for (const name of this.#levels.keys()) if (!wanted.has(name)) this.#levels.delete(name);
    for (const config of configs) {
      let level = this.#levels.get(config.name);
      if (level === undefined) {
        level = new PriorityLevel(config, nowMs);
        this.#levels.set(config.name, level);
      }
      const nominal = nominalSeats(this.#totalSeats, config.shares, allShares);
      level.configure(config, nominal, this.#totalSeats, nowMs);
    }
    this.#flows = withMandatory(schemas, defaultFlowSchemas())
      .map(compileSchema)
      .sort(compareSchemas)
      .flatMap((schema) => {
        const level = this.#levels.get(schema.levelName);
        if (level === undefined) return [];
        const headers = {
          'X-Kubernetes-Pf-Flowschema-Uid': schema.uid,
          'X-Kubernetes-Pf-Prioritylevel-Uid': level.config.uid,
        };
        return [{ schema, level, hands: new Map(), headers }];
      });
  }

  classify(user: UserInfo, info: RequestInfo): Flow {
    for (const flow of this.#flows) if (matchesSchema(flow.schema, user, info)) return flow;
    // the last one is for everybody who has a name, thus for all but groupless users of tests
    return this.#flows.find(({ schema }) => schema.name === 'catch-all') as Flow;
  }

  /** Gives levels the seats that they need, at the cost of those which need less. */
  divide(nowMs: number): void {
    const levels = this.levels;
    const seats = divideSeats(
      this.#totalSeats,
      levels.map((level) => ({
        ...level.demand.take(nowMs),
        isExempt: level.config.isExempt,
        nominalSeats: level.nominalSeats,
        minSeats: level.minSeats,
        maxSeats: level.maxSeats,
      })),
    );
    levels.forEach((level, i) => level.setSeats(seats[i] as number, nowMs));
  }
}

/** The queues that a flow may use, always the same ones. */
export function handOf(flow: Flow, distinguisher: string): readonly number[] {
  const known = flow.hands.get(distinguisher);
  if (known !== undefined) return known;
  const { queues, handSize } = flow.level.config.limits;
  const hand = dealHand(flowHash(flow.schema.name, distinguisher), queues, handSize);
  if (flow.hands.size >= maxRememberedHands) flow.hands.clear();
  flow.hands.set(distinguisher, hand);
  return hand;
}

function withMandatory<T extends { metadata: { name: string } }>(
  stored: readonly T[],
  defaults: readonly T[],
): T[] {
  const names = new Set(stored.map(({ metadata }) => metadata.name));
  const missing = defaults.filter(
    ({ metadata: { name } }) => mandatoryNames.has(name) && !names.has(name),
  );
  return [...stored, ...missing];
}
