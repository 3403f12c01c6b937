/** Reading of metav1.Time and MicroTime: RFC 3339 in, UTC with a fixed number of digits out. */

const canonicalTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;
const canonicalMicroTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$/;
const rfc3339 = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:[.,](\d+))?(Z|[+-]\d\d:\d\d)$/;

const timeLayout = '2006-01-02T15:04:05Z07:00';
const microTimeLayout = '2006-01-02T15:04:05.000000Z07:00';

/** Layout elements in order, with what each accepts; an error names the first that fails. */
const elements: ReadonlyArray<readonly [layout: string, pattern: RegExp]> = [
  ['2006', /^\d{4}/],
  ['-', /^-/],
  ['01', /^\d\d/],
  ['-', /^-/],
  ['02', /^\d\d/],
  ['T', /^T/],
  ['15', /^\d\d/],
  [':', /^:/],
  ['04', /^\d\d/],
  [':', /^:/],
  ['05', /^\d\d(\.\d+)?/],
  ['Z07:00', /^(Z|[+-]\d\d:\d\d)/],
];

/** The canonical text of a time, or the reason why it is none. */
export function readTime(text: string, isMicro: boolean): { time: string } | { reason: string } {
  if ((isMicro ? canonicalMicroTime : canonicalTime).test(text) && isDate(text)) {
    return { time: text };
  }
  const match = rfc3339.exec(text);
  if (match === null || !isDate(text.slice(0, 19))) {
    return { reason: explain(text, isMicro ? microTimeLayout : timeLayout) };
  }
  const [, whole = '', fraction = '', zone = ''] = match;
  const utc = new Date(`${whole}${zone}`).toISOString().slice(0, 19);
  const digits = fraction.slice(0, 6).padEnd(6, '0');
  return { time: isMicro ? `${utc}.${digits}Z` : `${utc}Z` };
}

/** Whether the day exists in its month and the clock time on a day; the digits are in place. */
function isDate(text: string): boolean {
  const two = (at: number): number => text.charCodeAt(at) * 10 + text.charCodeAt(at + 1) - 528;
  const [month, day] = [two(5), two(8)];
  if (month < 1 || month > 12 || day < 1) return false;
  if (two(11) > 23 || two(14) > 59 || two(17) > 59) return false;
  return day <= 28 || day <= daysOf(two(0) * 100 + two(2), month);
}

function daysOf(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
}

function explain(text: string, layout: string): string {
  let rest = text;
  for (const [element, pattern] of elements) {
    const match = pattern.exec(rest);
    if (match === null) {
      return `parsing time ${JSON.stringify(text)} as ${JSON.stringify(layout)}: cannot parse ${JSON.stringify(rest)} as ${JSON.stringify(element)}`;
    }
    rest = rest.slice(match[0].length);
  }
  if (rest !== '')
    return `parsing time ${JSON.stringify(text)}: extra text: ${JSON.stringify(rest)}`;
  return `parsing time ${JSON.stringify(text)}: ${outOfRange(text)} out of range`;
}

function outOfRange(text: string): string {
  if (Number(text.slice(5, 7)) > 12 || text.slice(5, 7) === '00') return 'month';
  if (Number(text.slice(11, 13)) > 23) return 'hour';
  if (Number(text.slice(14, 16)) > 59) return 'minute';
  if (Number(text.slice(17, 19)) > 59) return 'second';
  return 'day';
}
