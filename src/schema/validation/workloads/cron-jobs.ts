import type { CronJob } from '../../generated/types.ts';
import { checkFormat, checkNotNegative, requireOneOf } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import { metadataPath, specPath } from '../field-path.ts';
import { dns1123SubdomainErrors, maxLengthText } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import { cronErrors, hasZonePrefix, isTimeZone } from './cron-schedule.ts';
import { checkJobSpec } from './job-spec.ts';

const policies = ['Allow', 'Forbid', 'Replace'];
/** Names of its jobs are eleven characters longer. */
const maxNameLength = 52;
const zonePart = /^[A-Za-z.\-_0-9+]{1,14}$/;

export const cronJobRules: KindRules<CronJob> = {
  name: dns1123SubdomainErrors,
  check(errors, { spec = {} }, old) {
    checkSchedule(errors, spec.schedule ?? '', spec.timeZone, old?.spec?.schedule);
    checkNotNegative(errors, specPath, 'startingDeadlineSeconds', spec.startingDeadlineSeconds);
    if (spec.timeZone !== undefined) checkTimeZone(errors, spec.timeZone);
    requireOneOf(errors, specPath, 'concurrencyPolicy', spec.concurrencyPolicy, policies);
    const job = spec.jobTemplate?.spec ?? {};
    const path = specPath.child('jobTemplate.spec');
    checkJobSpec(errors, path, job, old?.spec?.jobTemplate?.spec);
    if (job.selector !== undefined) {
      errors.invalid(path, 'selector', job.selector, '`selector` will be auto-generated');
    }
    if (job.manualSelector === true) {
      errors.notSupported(path, 'manualSelector', true, ['nil', 'false']);
    }
    const { successfulJobsHistoryLimit, failedJobsHistoryLimit } = spec;
    checkNotNegative(errors, specPath, 'successfulJobsHistoryLimit', successfulJobsHistoryLimit);
    checkNotNegative(errors, specPath, 'failedJobsHistoryLimit', failedJobsHistoryLimit);
  },
  create(errors, { metadata }) {
    const name = metadata?.name ?? '';
    if (name.length > maxNameLength) {
      errors.invalid(metadataPath, 'name', name, maxLengthText(maxNameLength));
    }
  },
};

function checkSchedule(
  errors: ErrorList,
  schedule: string,
  timeZone: string | undefined,
  old: string | undefined,
): void {
  if (schedule === '') {
    errors.required(specPath, 'schedule');
    return;
  }
  checkFormat(errors, specPath, 'schedule', schedule, cronErrors);
  if (!schedule.includes('TZ')) return;
  const isStored = old?.includes('TZ') === true && hasZonePrefix(old);
  if (isStored && timeZone === undefined) return;
  const detail = isStored
    ? 'cannot use both timeZone field and TZ or CRON_TZ in schedule'
    : 'cannot use TZ or CRON_TZ in schedule, use timeZone field instead';
  errors.invalid(specPath, 'schedule', schedule, detail);
}

function checkTimeZone(errors: ErrorList, zone: string): void {
  if (zone === '') {
    errors.invalid(specPath, 'timeZone', zone, 'timeZone must be nil or non-empty string');
    return;
  }
  const isBad = zone
    .split('/')
    .some((part) => !zonePart.test(part) || part === '.' || part === '..' || part[0] === '-');
  if (isBad) errors.invalid(specPath, 'timeZone', zone, `unknown time zone ${zone}`);
  if (zone.toLowerCase() === 'local') {
    const detail =
      'timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones';
    errors.invalid(specPath, 'timeZone', zone, detail);
  } else if (!isBad && !isTimeZone(zone)) {
    errors.invalid(specPath, 'timeZone', zone, `unknown time zone ${zone}`);
  }
}
