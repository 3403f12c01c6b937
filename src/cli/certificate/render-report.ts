import type { Logger } from '#base/log.ts';
import { yamlLibrary } from '#base/yaml-library.ts';
import { renderTable } from '../crictl/table.ts';
import { renewDays } from './check-certificates.ts';
import type { CertificateReport } from './check-certificates.ts';

const months = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');

const rfc3339 = (atMs: number): string => new Date(atMs).toISOString().replace(/\.\d{3}Z$/, 'Z');

/** One log line for each certificate, louder when something is to be done. */
export function logReport(reports: readonly CertificateReport[], log: Logger): void {
  for (const { fileName, subject, usages, status, expiryMs } of reports) {
    const what = `${fileName}: certificate ${subject} (${usages.join(',')})`;
    const when = rfc3339(expiryMs);
    if (status === 'NOT YET VALID') log.error(`${what} is not valid before ${when}`);
    else if (status === 'EXPIRED') log.error(`${what} expired at ${when}`);
    else if (status === 'WARNING') {
      log.warning(`${what} will expire within ${renewDays} days at ${when}`);
    } else log.info(`${what} is ok, expires at ${when}`);
  }
}

export function renderReportTable(reports: readonly CertificateReport[]): string {
  const header = ['FILENAME', 'SUBJECT', 'USAGES', 'EXPIRES', 'RESIDUAL TIME', 'STATUS'];
  const rows = reports.map((report) => [
    report.fileName,
    report.subject,
    report.usages.join(','),
    dayText(report.expiryMs),
    residualText(report.residualMs),
    report.status,
  ]);
  const underlines = header.map((title) => '-'.repeat(title.length));
  return `\n${renderTable([header, underlines, ...rows])}`;
}

/** The same for programs, with k3s' field names; a residual time is in nanoseconds. */
export function renderReportData(
  reports: readonly CertificateReport[],
  format: 'json' | 'yaml',
): string {
  const document = {
    Certificates: reports.map((report) => ({
      Filename: report.fileName,
      Subject: report.subject,
      Issuer: report.issuer,
      Usages: report.usages,
      ExpiryTime: rfc3339(report.expiryMs),
      ResidualTime: Math.round(report.residualMs) * 1_000_000,
      Status: report.status,
    })),
  };
  if (format === 'json') return `${JSON.stringify(document)}\n`;
  return yamlLibrary().stringify(document);
}

/** `May 28, 2027 22:07 UTC`. */
function dayText(atMs: number): string {
  const at = new Date(atMs);
  const two = (value: number): string => String(value).padStart(2, '0');
  return (
    `${months[at.getUTCMonth()] ?? ''} ${two(at.getUTCDate())}, ${at.getUTCFullYear()} ` +
    `${two(at.getUTCHours())}:${two(at.getUTCMinutes())} UTC`
  );
}

const day = 86_400;
/** Up to how many seconds, how long one unit is, and its name, as k3s counts. */
const steps: readonly [below: number, unit: number, name: string][] = [
  [60, 1, 'second'],
  [3600, 60, 'minute'],
  [day, 3600, 'hour'],
  [7 * day, day, 'day'],
  [30 * day, 7 * day, 'week'],
  [360 * day, 30 * day, 'month'],
  [Infinity, 360 * day, 'year'],
];

/** The time left, or since the end, in its largest unit: `1 year`, `9 days`. */
export function residualText(residualMs: number): string {
  const seconds = Math.floor(Math.abs(residualMs) / 1000);
  if (seconds < 1) return 'now';
  const [, unit, name] = steps.find(([below]) => seconds < below) ?? [0, 1, 'second'];
  const count = Math.floor(seconds / unit);
  return `${count} ${name}${count === 1 ? '' : 's'}`;
}
