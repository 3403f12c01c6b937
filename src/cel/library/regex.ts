/** Kubernetes' find and findAll. */
import { type Library, memberOverload } from '../check/declaration.ts';
import { intType, listOf, stringType } from '../check/type.ts';
import { CelList } from '../values/list.ts';
import { compileRegex } from '../values/regex.ts';

function find(text: string, pattern: string): string {
  const matcher = compileRegex(pattern).program.matcher(text);
  return matcher.find() ? (matcher.group() ?? '') : '';
}

function findAll(text: string, pattern: string, limit = -1): CelList {
  const matcher = compileRegex(pattern).program.matcher(text);
  const found: string[] = [];
  const most = limit < 0 ? Number.POSITIVE_INFINITY : limit;
  while (found.length < most) {
    if (!matcher.find()) break;
    found.push(matcher.group() ?? '');
  }
  return new CelList(found);
}

const strings = listOf(stringType);

export const regexLibrary: Library = {
  find: [memberOverload('string_find_string', [stringType, stringType], stringType, find)],
  findAll: [
    memberOverload('string_find_all_string', [stringType, stringType], strings, findAll),
    memberOverload(
      'string_find_all_string_int',
      [stringType, stringType, intType],
      strings,
      findAll,
    ),
  ],
};
