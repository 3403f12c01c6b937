/** Lets so many things happen at the same time; the others wait, first come, first served. */
export interface PullSlots {
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** `count` 0: any number. The queue is bounded by the containers of the node. */
export function createPullSlots(count: number): PullSlots {
  const waiting: (() => void)[] = [];
  let running = 0;
  const enter = async (): Promise<void> => {
    if (count > 0 && running >= count) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
  };
  /** The place goes straight to the next one. */
  const leave = (): void => {
    const next = waiting.shift();
    if (next === undefined) running -= 1;
    else next();
  };
  return {
    async run(work) {
      await enter();
      try {
        return await work();
      } finally {
        leave();
      }
    },
  };
}
