import type {
  AppArmorProfile,
  SeccompProfile,
  WindowsSecurityContextOptions,
} from '../../generated/types.ts';
import { checkFormat, checkMaxBytes, checkOneOf, exceedsBytes, requireText } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { dns1123SubdomainErrors } from '../formats/names.ts';
import { checkRelativePath } from '../formats/paths.ts';
import type { Unchecked } from '../unchecked.ts';

const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined'];

export function checkSeccompProfile(
  errors: ErrorList,
  path: FieldPath,
  profile: Unchecked<SeccompProfile>,
): void {
  const { type = '', localhostProfile } = profile;
  if (requireText(errors, path, 'type', type, 'type is required when seccompProfile is set')) {
    checkOneOf(errors, path, 'type', type, profileTypes);
  }
  if (type === 'Localhost') {
    if (localhostProfile === undefined) {
      const detail = 'must be set when seccomp type is Localhost';
      errors.required(path, 'localhostProfile', detail);
    } else checkRelativePath(errors, path, 'localhostProfile', localhostProfile);
  } else if (localhostProfile !== undefined) {
    const detail = 'can only be set when seccomp type is Localhost';
    errors.invalid(path, 'localhostProfile', profile, detail);
  }
}

export function checkAppArmorProfile(
  errors: ErrorList,
  path: FieldPath,
  { type = '', localhostProfile }: Unchecked<AppArmorProfile>,
): void {
  if (type === 'Localhost') {
    checkAppArmorName(errors, path, localhostProfile ?? '');
  } else if (localhostProfile !== undefined && profileTypes.includes(type)) {
    const detail = 'can only be set when AppArmor type is Localhost';
    errors.invalid(path, 'localhostProfile', localhostProfile, detail);
  }
  if (requireText(errors, path, 'type', type, 'type is required when appArmorProfile is set')) {
    checkOneOf(errors, path, 'type', type, profileTypes);
  }
}

function checkAppArmorName(errors: ErrorList, path: FieldPath, name: string): void {
  const trimmed = name.trim();
  if (trimmed === '') {
    const detail = 'must be set when AppArmor type is Localhost';
    errors.required(path, 'localhostProfile', detail);
  } else if (trimmed !== name) {
    const detail = 'must not be padded with whitespace';
    errors.invalid(path, 'localhostProfile', name, detail);
  }
  checkMaxBytes(errors, path, 'localhostProfile', name, 4095);
}

export function checkWindowsOptions(
  errors: ErrorList,
  path: FieldPath,
  options: Unchecked<WindowsSecurityContextOptions>,
): void {
  const { gmsaCredentialSpecName, gmsaCredentialSpec, runAsUserName } = options;
  if (gmsaCredentialSpecName !== undefined) {
    const field = 'gmsaCredentialSpecName';
    checkFormat(errors, path, field, gmsaCredentialSpecName, dns1123SubdomainErrors);
  }
  if (gmsaCredentialSpec === '') {
    const detail = 'gmsaCredentialSpec cannot be an empty string';
    errors.invalid(path, 'gmsaCredentialSpec', '', detail);
  } else if (gmsaCredentialSpec !== undefined && exceedsBytes(gmsaCredentialSpec, 65536)) {
    const detail = 'gmsaCredentialSpec size must be under 64 KiB';
    errors.invalid(path, 'gmsaCredentialSpec', gmsaCredentialSpec, detail);
  }
  if (runAsUserName === undefined) return;
  for (const text of userNameErrors(runAsUserName)) {
    errors.invalid(path, 'runAsUserName', runAsUserName, `runAsUserName${text}`);
  }
}

const netBiosDomain = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/;
const dnsDomain =
  /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/;

function userNameErrors(name: string): string[] {
  if (name === '') return [' cannot be an empty string'];
  const errors: string[] = [];
  if (/\p{Cc}/u.test(name)) errors.push(' cannot contain control characters');
  const parts = name.split('\\');
  if (parts.length > 2) errors.push(' cannot contain more than one backslash');
  const domain = parts.length > 1 ? parts[0] : undefined;
  const user = parts.at(-1) ?? '';
  if (domain !== undefined) {
    if (domain.length >= 256) errors.push("'s Domain length must be under 256 characters");
    if (!netBiosDomain.test(domain) && !dnsDomain.test(domain)) {
      errors.push("'s Domain doesn't match the NetBios nor the DNS format");
    }
  }
  if (user === '') errors.push("'s User cannot be empty");
  else if (user.length > 104) {
    errors.push("'s User length must not be longer than 104 characters");
  }
  if (user !== '' && /^[. ]+$/.test(user)) {
    errors.push("'s User cannot contain only periods or spaces");
  }
  if (/["/:;|=,+*?<>@[\]]/.test(user)) {
    errors.push(`'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]`);
  }
  return errors;
}
