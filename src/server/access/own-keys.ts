import { parseBundle } from '#apiserver/authn/mod.ts';
import { createServiceAccountTokens } from '#pki/mod.ts';
import type { ApiServerArgs } from '../api-server-args/mod.ts';
import { readArgFile } from './files.ts';

/**
 * PEM of the keys of service accounts with those of the user's own: the key of
 * --service-account-signing-key-file signs in the place of k3ts' own, which goes on being good, as
 * do those of --service-account-key-file. Throws `Usage` for a file without a usable key.
 */
export function serviceAccountKeys(args: ApiServerArgs, ownKeys: string): string {
  const read = (arg: string, path: string): string =>
    readArgFile(arg, path, (text) => {
      // a key of its own in front, so that public keys alone are looked at as well
      createServiceAccountTokens(arg === signingArg ? text : `${ownKeys}\n${text}`);
      if (!text.includes('-----BEGIN ')) throw new Error('the file holds no PEM key');
      return text;
    });
  const signing = args.text(signingArg);
  const first = signing === '' ? [] : [read(signingArg, signing)];
  const others = args.list(keyArg).map((path) => read(keyArg, path));
  // the first private key signs: only public parts may come before the own key
  return [...first, ownKeys, ...others].join('\n');
}

const signingArg = 'service-account-signing-key-file';
const keyArg = 'service-account-key-file';

/** Authorities of a bundle that an argument names, as text; empty without the argument. */
export function readAuthorities(
  args: ApiServerArgs,
  arg: 'client-ca-file' | 'requestheader-client-ca-file',
): string {
  const path = args.text(arg);
  if (path === '') return '';
  return readArgFile(arg, path, checkedAuthorities);
}

/** Throws unless the text holds at least one certificate. */
export function checkedAuthorities(text: string): string {
  if (parseBundle(text).length === 0)
    throw new Error('data does not contain any valid certificates');
  return text;
}
