/** Columns padded to their widest cell, three spaces apart, as kubectl and crictl print. */
export function renderTable(rows: readonly (readonly string[])[]): string {
  const widths: number[] = [];
  for (const row of rows) {
    for (const [index, cell] of row.entries()) {
      widths[index] = Math.max(widths[index] ?? 0, cell.length);
    }
  }
  return rows
    .map((row) =>
      row
        .map((cell, index) => (index === row.length - 1 ? cell : cell.padEnd(widths[index] ?? 0)))
        .join('   '),
    )
    .map((line) => `${line.trimEnd()}\n`)
    .join('');
}

/** `2 minutes ago`, as crictl words ages; `epochNs` as the CRI gives times. */
export function ageText(epochNs: number, nowMs: number): string {
  const seconds = Math.max(Math.floor((nowMs - epochNs / 1e6) / 1000), 0);
  const units: [number, string][] = [
    [86_400 * 365, 'year'],
    [86_400 * 30, 'month'],
    [86_400 * 7, 'week'],
    [86_400, 'day'],
    [3600, 'hour'],
    [60, 'minute'],
    [1, 'second'],
  ];
  for (const [size, name] of units) {
    const count = Math.floor(seconds / size);
    if (count >= 1) return `${count} ${name}${count === 1 ? '' : 's'} ago`;
  }
  return 'Less than a second ago';
}

/** Bytes with one unit of 1000, three digits: 4.26MB. */
export function sizeText(sizeBytes: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let size = sizeBytes;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit++;
  }
  return `${Number(size.toPrecision(3))}${units[unit] ?? ''}`;
}
