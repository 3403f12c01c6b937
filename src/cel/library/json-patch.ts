/** jsonpatch.escapeKey, of mutating admission policies. */
import { globalOverload, type Library } from '../check/declaration.ts';
import { stringType } from '../check/type.ts';

export const jsonPatchLibrary: Library = {
  'jsonpatch.escapeKey': [
    globalOverload('string_jsonpatch_escapeKey_string', [stringType], stringType, (key: string) =>
      key.replaceAll('~', '~0').replaceAll('/', '~1'),
    ),
  ],
};
