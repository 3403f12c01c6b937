import { CelCompileError } from './errors.ts';
import type { CelEnvironment, CelEnvironmentOptions } from './types.ts';

/** The CEL environment of Kubernetes 1.36 with these variables; keep it, compiling is per rule. */
export function createCelEnvironment(_options: CelEnvironmentOptions): CelEnvironment {
  return {
    compile() {
      throw new CelCompileError('the CEL engine is being written');
    },
  };
}
