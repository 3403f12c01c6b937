import { K3tsError } from '#base/errors.ts';

interface Range {
  readonly low: number;
  readonly high: number;
  readonly names?: Readonly<Record<string, number>>;
}

const months = 'jan feb mar apr may jun jul aug sep oct nov dec'.split(' ');
const days = 'sun mon tue wed thu fri sat'.split(' ');
const fields: readonly Range[] = [
  { low: 0, high: 59 },
  { low: 0, high: 23 },
  { low: 1, high: 31 },
  { low: 1, high: 12, names: Object.fromEntries(months.map((name, at) => [name, at + 1])) },
  { low: 0, high: 6, names: Object.fromEntries(days.map((name, at) => [name, at])) },
];
const descriptors = '@yearly @annually @monthly @weekly @daily @midnight @hourly'.split(' ');
const duration =
  /^[+-]?(?:[0-9]+(?:\.[0-9]*)?(?:ns|us|µs|μs|ms|s|m|h)|\.[0-9]+(?:ns|us|ms|s|m|h))+$/;

/** What is wrong with the schedule of a cron job, in the words of the parser upstream uses. */
export function cronErrors(schedule: string): readonly string[] {
  try {
    checkSchedule(schedule);
    return [];
  } catch (error) {
    if (error instanceof K3tsError) return [error.message];
    throw error;
  }
}

function fail(message: string): never {
  throw new K3tsError('BadSchedule', message);
}

function checkSchedule(text: string): void {
  if (text === '') fail('empty spec string');
  let schedule = text;
  if (hasZonePrefix(text)) {
    const [zone = '', ...rest] = text.split(' ');
    const name = zone.slice(zone.indexOf('=') + 1);
    if (!isTimeZone(name)) fail(`provided bad location ${name}: unknown time zone ${name}`);
    schedule = rest.join(' ').trim();
  }
  if (schedule.startsWith('@')) {
    checkDescriptor(schedule);
    return;
  }
  const parts = schedule.split(/\s+/).filter((part) => part !== '');
  if (parts.length !== fields.length) {
    fail(`expected exactly 5 fields, found ${parts.length}: [${parts.join(' ')}]`);
  }
  parts.forEach((part, index) => {
    const range = fields[index];
    if (range === undefined) return;
    for (const expression of part.split(',')) {
      if (expression !== '') checkExpression(expression, range);
    }
  });
}

function checkDescriptor(text: string): void {
  if (descriptors.includes(text)) return;
  if (!text.startsWith('@every ')) fail(`unrecognized descriptor: ${text}`);
  const length = text.slice('@every '.length);
  if (duration.test(length) || length === '0') return;
  fail(`failed to parse duration ${text}: time: invalid duration ${JSON.stringify(length)}`);
}

function checkExpression(expression: string, range: Range): void {
  const [span = '', step, ...moreSteps] = expression.split('/');
  const ends = span.split('-');
  let first = range.low;
  let last = range.high;
  if (ends[0] !== '*' && ends[0] !== '?') {
    first = parseValue(ends[0] ?? '', range);
    last = first;
    if (ends.length === 2) last = parseValue(ends[1] ?? '', range);
    else if (ends.length > 2) fail(`too many hyphens: ${expression}`);
  }
  let size = 1;
  if (step !== undefined && moreSteps.length === 0) {
    size = parseInteger(step);
    if (ends.length === 1) last = range.high;
  } else if (moreSteps.length > 0) fail(`too many slashes: ${expression}`);
  if (first < range.low) {
    fail(`beginning of range (${first}) below minimum (${range.low}): ${expression}`);
  }
  if (last > range.high)
    fail(`end of range (${last}) above maximum (${range.high}): ${expression}`);
  if (first > last) {
    fail(`beginning of range (${first}) beyond end of range (${last}): ${expression}`);
  }
  if (size === 0) fail(`step of range should be a positive number: ${expression}`);
}

function parseValue(text: string, { names }: Range): number {
  return names?.[text.toLowerCase()] ?? parseInteger(text);
}

function parseInteger(text: string): number {
  if (!/^[+-]?[0-9]{1,18}$/.test(text)) {
    const quoted = JSON.stringify(text);
    fail(`failed to parse int from ${text}: strconv.Atoi: parsing ${quoted}: invalid syntax`);
  }
  const value = Number(text);
  if (value < 0) fail(`negative number (${value}) not allowed: ${text}`);
  return value;
}

export function hasZonePrefix(schedule: string): boolean {
  return schedule.startsWith('TZ=') || schedule.startsWith('CRON_TZ=');
}

/** Whether the runtime's zone database knows the name; names are told apart by case. */
export function isTimeZone(name: string): boolean {
  if (name === '' || name === 'UTC' || name === 'Local') return true;
  try {
    const { timeZone } = new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions();
    if (/^[+-]/.test(timeZone)) return false;
    return timeZone === name || timeZone.toLowerCase() !== name.toLowerCase();
  } catch {
    return false;
  }
}
