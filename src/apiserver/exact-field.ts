import { parseFieldSelector } from '#schema/selectors/mod.ts';

/**
 * The value that a field selector demands for a field; undefined when it demands none, or cannot be
 * read. Who may do what hangs on it: the text is never looked at in another way than the one that
 * selects, in which values hold commas that are escaped.
 */
export function exactField(selector: string, field: string): string | undefined {
  try {
    return parseFieldSelector(selector).exactValue(field);
  } catch {
    // the request is refused later, with the reason; until then it asks for everything
    return undefined;
  }
}
