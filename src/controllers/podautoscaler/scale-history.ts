/** What was recommended for one autoscaler lately, and what was done. */
export interface ScaleHistory {
  /** Recommendations that are not older than the window. */
  recent(windowMs: number, nowMs: number): number[];
  /** Notes a recommendation and forgets those that are older than `keepMs`. */
  recommend(replicas: number, keepMs: number, nowMs: number): void;
  /** The first time only: what was there before is as good as recommended. */
  begin(replicas: number, nowMs: number): void;
  added(periodMs: number, nowMs: number): number;
  removed(periodMs: number, nowMs: number): number;
  /** Notes a change of size and forgets those that are older than `keepMs`. */
  scaled(change: number, keepMs: number, nowMs: number): void;
}

interface Note {
  readonly value: number;
  readonly atMs: number;
}

export function createScaleHistory(): ScaleHistory {
  let recommendations: Note[] = [];
  let changes: Note[] = [];
  const since = (notes: readonly Note[], spanMs: number, nowMs: number): Note[] =>
    notes.filter(({ atMs }) => atMs > nowMs - spanMs);
  const sum = (notes: readonly Note[]): number =>
    notes.reduce((total, { value }) => total + value, 0);
  return {
    recent: (windowMs, nowMs) => since(recommendations, windowMs, nowMs).map(({ value }) => value),
    recommend(replicas, keepMs, nowMs) {
      recommendations = since(recommendations, keepMs, nowMs);
      recommendations.push({ value: replicas, atMs: nowMs });
    },
    begin(replicas, nowMs) {
      if (recommendations.length === 0) recommendations.push({ value: replicas, atMs: nowMs });
    },
    added: (periodMs, nowMs) =>
      sum(since(changes, periodMs, nowMs).filter(({ value }) => value > 0)),
    removed: (periodMs, nowMs) =>
      -sum(since(changes, periodMs, nowMs).filter(({ value }) => value < 0)),
    scaled(change, keepMs, nowMs) {
      changes = since(changes, keepMs, nowMs);
      changes.push({ value: change, atMs: nowMs });
    },
  };
}
