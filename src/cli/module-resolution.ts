import { registerHooks } from 'node:module';

/**
 * Resolves our own imports (`#module/…` and relative ones, all with their ending) by their text
 * alone. Node looks for links, package scopes and formats of each of the thousand files, which is
 * a fifth of a start. Imports of packages, and those of files that are not ours, go Node's way.
 * Call it before the modules of a command are loaded.
 */
export function resolveOwnModulesByText(): void {
  const root = new URL('../', import.meta.url).href;
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const url = ownModuleUrl(root, specifier, context.parentURL);
      if (url === undefined) return nextResolve(specifier, context);
      return { url, format: 'module-typescript', shortCircuit: true };
    },
  });
}

/** The URL of one of the modules below `root` that another one of them imports. */
export function ownModuleUrl(
  root: string,
  specifier: string,
  parent: string | undefined,
): string | undefined {
  if (parent === undefined || !parent.startsWith(root) || !specifier.endsWith('.ts')) {
    return undefined;
  }
  if (specifier.startsWith('#')) return root + specifier.slice(1);
  if (!specifier.startsWith('./') && !specifier.startsWith('../')) return undefined;
  return new URL(specifier, parent).href;
}
