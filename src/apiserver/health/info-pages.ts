import { formatTime } from '#base/clock.ts';
import type { Clock } from '#base/clock.ts';
import { formatDuration } from '#base/duration.ts';

import type { PathRoute } from '../path-route.ts';
import { gitVersion } from './version.ts';

/**
 * /statusz and /flagz: what runs here and with which flags, in upstream's text form.
 */
export function infoPages(options: {
  clock: Clock;
  /** Flags of kube-apiserver in force. */
  flags: () => Readonly<Record<string, string>>;
  paths: () => readonly string[];
}): PathRoute[] {
  const { clock, flags, paths } = options;
  const startMs = clock.now() - process.uptime() * 1000;
  const page = (path: string, body: () => string): PathRoute => ({
    path,
    handle: () => ({
      status: 200,
      headers: { 'Content-Type': 'text/plain; charset=utf-8' },
      body: body(),
    }),
  });
  const warning =
    'Warning: This endpoint is not meant to be machine parseable, has no formatting compatibility guarantees and is for debugging purposes only.';
  return [
    page('/statusz', () => {
      const upMs = Math.round((clock.now() - startMs) / 1000) * 1000;
      return [
        '',
        'apiserver statusz',
        warning,
        '',
        `Started: ${formatTime(startMs)}`,
        `Up: ${formatDuration(upMs)}`,
        `Go version: node${process.version}`,
        `Binary version: ${gitVersion}`,
        `Paths: ${paths().join(' ')}`,
        '',
      ].join('\n');
    }),
    page('/flagz', () => {
      const lines = Object.entries(flags()).map(([name, value]) => `${name}=${value}`);
      return ['', 'apiserver flagz', warning, '', ...lines.sort(), ''].join('\n');
    }),
  ];
}
