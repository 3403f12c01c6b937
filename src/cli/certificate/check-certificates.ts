import { basename } from 'node:path';

import { K3tsError, messageOf } from '#base/errors.ts';
import { readFileIfExists } from '#host/atomic-file.ts';
import { inspectCertificates } from '#pki/mod.ts';
import { filesOf } from './services.ts';

const dayMs = 24 * 3600 * 1000;
/** How long before its end a certificate is renewed, as k3s. */
export const renewDays = 120;

export type CertificateStatus = 'OK' | 'WARNING' | 'EXPIRED' | 'NOT YET VALID';

export interface CertificateReport {
  readonly fileName: string;
  readonly subject: string;
  readonly issuer: string;
  readonly usages: readonly string[];
  /** The end, or the begin of one that is not valid yet. */
  readonly expiryMs: number;
  readonly residualMs: number;
  readonly status: CertificateStatus;
}

/**
 * All certificates in the files of these services, authorities that stand behind a leaf too. A file
 * that is not there is left out; throws `BadCertificate` for one that cannot be read.
 */
export async function checkCertificates(
  dataDir: string,
  services: readonly string[],
  nowMs: number,
): Promise<CertificateReport[]> {
  const files = services.flatMap((service) =>
    filesOf(service, dataDir).flatMap(({ certificate }) => certificate ?? []),
  );
  const reports: CertificateReport[] = [];
  for (const file of new Set(files)) {
    const pem = await readFileIfExists(file);
    if (pem === undefined) continue;
    try {
      for (const facts of inspectCertificates(pem)) {
        const status = statusOf(facts, nowMs);
        reports.push({
          fileName: basename(file),
          subject: facts.commonName,
          issuer: facts.issuerCommonName,
          usages: facts.usages,
          expiryMs: status === 'NOT YET VALID' ? facts.notBeforeMs : facts.notAfterMs,
          residualMs: facts.notAfterMs - nowMs,
          status,
        });
      }
    } catch (error) {
      throw new K3tsError('BadCertificate', `cannot read ${file}: ${messageOf(error)}`, {
        cause: error,
      });
    }
  }
  return reports;
}

function statusOf(
  { notBeforeMs, notAfterMs }: { notBeforeMs: number; notAfterMs: number },
  nowMs: number,
): CertificateStatus {
  if (nowMs < notBeforeMs) return 'NOT YET VALID';
  if (nowMs > notAfterMs) return 'EXPIRED';
  return nowMs + renewDays * dayMs > notAfterMs ? 'WARNING' : 'OK';
}
