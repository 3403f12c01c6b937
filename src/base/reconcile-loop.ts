import type { Clock } from './clock.ts';

/**
 * Brings something in line with what is wanted, once for any number of changes: a call of the
 * returned trigger while a run goes on leads to one more run after it. A failed run is told to
 * `onError` and tried again after `retryMs`; runs never overlap and end with the signal.
 */
export function createReconcileLoop(options: {
  reconcile: () => Promise<void>;
  onError: (error: unknown) => void;
  retryMs: number;
  clock: Clock;
  signal: AbortSignal;
}): () => void {
  const { reconcile, onError, retryMs, clock, signal } = options;
  let isRunning = false;
  let isDirty = false;
  const run = async (): Promise<void> => {
    if (isRunning) return;
    isRunning = true;
    while (isDirty && !signal.aborted) {
      isDirty = false;
      try {
        await reconcile();
      } catch (error) {
        onError(error);
        isDirty = true;
        await clock.sleep(retryMs, signal).catch(() => undefined);
      }
    }
    isRunning = false;
  };
  return () => {
    isDirty = true;
    void run();
  };
}
