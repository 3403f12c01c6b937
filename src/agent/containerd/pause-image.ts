import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { K3tsError } from '#base/errors.ts';
import { packImage } from './oci-image.ts';

/** The name that k3s gives the sandbox image, so that its settings and air-gap lists fit. */
export const defaultPauseImage = 'docker.io/rancher/mirrored-pause:3.6';

const files: Readonly<Record<string, string>> = { amd64: 'x86_64', arm64: 'aarch64' };

/**
 * Packs the pause image from the prebuilt program under native/: no pull, no compiler. `directory`
 * is where the programs are; absent means beside our sources.
 */
export async function packPauseImage(options: {
  name: string;
  architecture: string;
  directory?: string | undefined;
}): Promise<Buffer> {
  const { name, architecture } = options;
  const directory =
    options.directory ?? fileURLToPath(new URL('../../../native/prebuilt', import.meta.url));
  const machine = files[architecture];
  if (machine === undefined) {
    throw new K3tsError('PauseMissing', `there is no pause program for ${architecture}`);
  }
  const content = await readFile(`${directory}/pause-${machine}`);
  return await packImage({
    name,
    architecture,
    layers: [[{ path: 'pause', mode: 0o755, content }]],
    config: { Entrypoint: ['/pause'], User: '65535:65535', WorkingDir: '/' },
  });
}
