/** A zone's difference from UTC at an instant; positive east of Greenwich. */
export type OffsetAt = (epochMs: number) => number;

/**
 * Looks up a zone of the IANA database; undefined for the zone of this process. Throws a RangeError
 * for a name that is not known.
 */
export function createOffsetAt(timeZone: string | undefined): OffsetAt {
  if (timeZone === '' || timeZone === 'UTC' || timeZone === 'Etc/UTC') return () => 0;
  const format = new Intl.DateTimeFormat('en-US', {
    ...(timeZone === undefined ? {} : { timeZone }),
    calendar: 'gregory',
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  return (epochMs) => {
    const second = Math.floor(epochMs / 1000) * 1000;
    const parts: Record<string, number> = {};
    for (const { type, value } of format.formatToParts(second)) parts[type] = Number(value);
    const { year = 0, month = 1, day = 1, hour = 0, minute = 0 } = parts;
    return Date.UTC(year, month - 1, day, hour, minute, parts['second'] ?? 0) - second;
  };
}

/** RFC 3339 with the offset of the zone, `Z` for none: 2026-11-21T12:00:00+01:00. */
export function formatInZone(epochMs: number, offsetAt: OffsetAt): string {
  const offset = offsetAt(epochMs);
  const text = new Date(epochMs + offset).toISOString().slice(0, 19);
  if (offset === 0) return `${text}Z`;
  const minutes = Math.abs(offset) / 60_000;
  const two = (value: number): string => String(Math.floor(value)).padStart(2, '0');
  return `${text}${offset < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`;
}
