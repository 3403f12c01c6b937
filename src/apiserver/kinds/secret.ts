import type { UnknownObject } from '#schema/mod.ts';
import type { Secret } from '#schema/types.ts';
import type { KindHooks } from './kind-hooks.ts';

/** stringData is for writing only: it becomes data. */
export const secretHooks: KindHooks = {
  beforeCreate: (object) => foldStringData(object),
  beforeUpdate(object, old) {
    foldStringData(object);
    const secret = object as unknown as Secret;
    const { type } = old as unknown as Secret;
    if (secret.type === undefined && type !== undefined) secret.type = type;
  },
};

function foldStringData(object: UnknownObject): void {
  const secret = object as unknown as Secret;
  const { stringData } = secret;
  if (stringData === undefined) return;
  const data: Record<string, string> = { ...secret.data };
  for (const [key, text] of Object.entries(stringData)) {
    data[key] = Buffer.from(text).toString('base64');
  }
  secret.data = data;
  delete secret.stringData;
}
