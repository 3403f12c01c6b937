/** What a priority level brings to the division of the server's seats. */
export interface LevelDemand {
  readonly isExempt: boolean;
  readonly nominalSeats: number;
  /** Seats that nobody can borrow, and the most the level may have with what it borrows. */
  readonly minSeats: number;
  readonly maxSeats: number;
  /** Most seats wanted at once since the last division, and the smoothed demand. */
  readonly highWatermark: number;
  readonly smoothDemand: number;
}

/** Seats that belong to a level by its shares: upstream rounds up. */
export function nominalSeats(totalSeats: number, shares: number, allShares: number): number {
  return allShares === 0 ? 0 : Math.ceil((totalSeats * shares) / allShares);
}

/**
 * Divides the seats by demand, between what levels may not lose and what they may borrow, as
 * upstream: targets are scaled by one factor so that they add up to what there is.
 */
export function divideSeats(totalSeats: number, levels: readonly LevelDemand[]): number[] {
  const lower = levels.map((level) =>
    level.isExempt
      ? Math.max(level.minSeats, level.highWatermark)
      : Math.max(level.minSeats, Math.min(level.nominalSeats, level.highWatermark)),
  );
  let left = totalSeats;
  levels.forEach((level, i) => {
    if (level.isExempt) left -= lower[i] as number;
  });
  const limited = levels.flatMap((level, i) => (level.isExempt ? [] : [i]));
  const result = lower.map((seats) => seats);
  const lowestSum = limited.reduce((sum, i) => sum + (lower[i] as number), 0);
  if (limited.length === 0 || left <= 0 || lowestSum >= left) {
    const scale = lowestSum > 0 ? Math.max(left, 0) / lowestSum : 0;
    for (const i of limited) {
      const { minSeats } = levels[i] as LevelDemand;
      result[i] = Math.max(minSeats, Math.round((lower[i] as number) * Math.min(scale, 1)));
    }
    return result.map((seats) => Math.max(seats, 1));
  }
  const targets = limited.map((i) =>
    Math.max(lower[i] as number, (levels[i] as LevelDemand).smoothDemand, 1e-3),
  );
  const seatsAt = (factor: number): number[] =>
    limited.map((i, at) =>
      Math.min(
        (levels[i] as LevelDemand).maxSeats,
        Math.max(lower[i] as number, factor * (targets[at] as number)),
      ),
    );
  const factor = findFactor(left, targets, (value) =>
    seatsAt(value).reduce((sum, seats) => sum + seats, 0),
  );
  seatsAt(factor).forEach((seats, at) => {
    result[limited[at] as number] = Math.max(1, Math.round(seats));
  });
  return result;
}

/** The factor at which the sum reaches `wanted`, or the one beyond which it no longer grows. */
function findFactor(
  wanted: number,
  targets: readonly number[],
  sumAt: (factor: number) => number,
): number {
  let low = 0;
  let high = (2 * wanted) / Math.min(...targets);
  if (sumAt(high) <= wanted) return high;
  for (let i = 0; i < 60; i++) {
    const middle = (low + high) / 2;
    if (sumAt(middle) < wanted) low = middle;
    else high = middle;
  }
  return low;
}
