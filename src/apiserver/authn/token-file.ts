import type { UserInfo } from '../request.ts';
import { splitCsv } from './passwords.ts';

/** One line of --token-auth-file. */
export interface FileToken {
  readonly token: string;
  readonly user: UserInfo;
}

/**
 * Reads --token-auth-file: `token,user,uid` with an optional quoted `"group1,group2"`. Lines with an
 * empty token are left out; of a token that comes twice the last line counts. Throws an Error for a
 * line with less than three fields.
 */
export function parseTokenFile(text: string): FileToken[] {
  const found = new Map<string, FileToken>();
  for (const [index, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue;
    const fields = splitCsv(line);
    const [token = '', name = '', uid = '', groups = ''] = fields;
    if (fields.length < 3) {
      throw new Error(
        `token file must have at least 3 columns (token, user name, user uid), found ${fields.length} in line ${index + 1}`,
      );
    }
    if (token === '') continue;
    const list = groups.split(',').map((group) => group.trim());
    const user = { name, uid, groups: list.filter((group) => group !== '') };
    found.set(token, { token, user });
  }
  return [...found.values()];
}
