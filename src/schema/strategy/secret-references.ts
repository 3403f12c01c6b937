import type { ServiceAccount } from '../generated/types.ts';
import type { UnknownObject } from '../object.ts';

/** A service account refers to secrets of its namespace by their names and by nothing else. */
export function keepSecretNames(object: UnknownObject): void {
  const account = object as ServiceAccount;
  if (account.secrets === undefined) return;
  account.secrets = account.secrets.map(({ name }) => (name === undefined ? {} : { name }));
}
