import { readFile } from 'node:fs/promises';

import type { Clock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';

/** Certificates have 120 days left when they are renewed: a look twice a day is plenty. */
const lookEveryMs = 12 * 60 * 60 * 1000;

/**
 * Renews the server's certificates while it runs: at each look the ones that need it are issued,
 * and new connections get the serving certificate that is on disk then, whoever wrote it. Runs
 * until the signal is aborted.
 */
export function keepCertificatesValid(options: {
  /** Issues what is missing, near its end or outdated; see ensureLeafCertificates. */
  renew: () => Promise<void>;
  serving: { certificate: string; key: string };
  setCertificate: (tls: { cert: string; key: string }) => void;
  clock: Clock;
  log: Logger;
  signal: AbortSignal;
}): void {
  const { renew, serving, setCertificate, clock, log, signal } = options;
  let current = '';
  const look = async (): Promise<void> => {
    try {
      await renew();
      const [cert, key] = await Promise.all([
        readFile(serving.certificate, 'utf8'),
        readFile(serving.key, 'utf8'),
      ]);
      if (current !== cert) {
        setCertificate({ cert, key });
        log.info('The serving certificate was replaced', { file: serving.certificate });
      }
      current = cert;
    } catch (error) {
      log.error('Certificates cannot be renewed', { error: messageOf(error) });
    }
  };
  const loop = async (): Promise<void> => {
    // what there is now was issued or checked a moment ago
    current = await readFile(serving.certificate, 'utf8');
    while (!signal.aborted) {
      await clock.sleep(lookEveryMs, signal);
      await look();
    }
  };
  loop().catch((error: unknown) => {
    if (!signal.aborted) log.error('Renewal of certificates ended', { error: messageOf(error) });
  });
}
