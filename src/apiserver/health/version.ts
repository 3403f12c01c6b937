import type { PathRoute } from '../path-route.ts';

/** The Kubernetes version that this server speaks, with k3ts' own suffix. */
export const gitVersion = 'v1.36.2+k3ts1';

export interface BuildInfo {
  gitCommit: string;
  buildDate: string;
}

/** GET /version, in upstream's field order and indented as upstream does. */
export function versionRoute(build: BuildInfo, platform: string): PathRoute {
  const body = JSON.stringify(
    {
      major: '1',
      minor: '36',
      emulationMajor: '1',
      emulationMinor: '36',
      minCompatibilityMajor: '1',
      minCompatibilityMinor: '35',
      gitVersion,
      gitCommit: build.gitCommit,
      gitTreeState: 'clean',
      buildDate: build.buildDate,
      goVersion: `node${process.version}`,
      compiler: 'node',
      platform,
    },
    undefined,
    2,
  );
  const bytes = Buffer.from(body);
  return { path: '/version', takesSlash: true, handle: () => ({ status: 200, body: bytes }) };
}
