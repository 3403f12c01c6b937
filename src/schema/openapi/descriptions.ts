import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Texts by field; the type's own under the empty key. */
type TypeDescriptions = Readonly<Record<string, string>>;

let known: Readonly<Record<string, TypeDescriptions>> | undefined;

/**
 * What a type and its fields are for; empty when the texts were not generated at install time. The
 * file is read on first use.
 */
export function descriptionsOf(typeName: string): TypeDescriptions {
  known ??= load();
  return known[typeName] ?? {};
}

function load(): Readonly<Record<string, TypeDescriptions>> {
  const file = join(import.meta.dirname, '../generated/descriptions.json');
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return {};
    throw error;
  }
  return JSON.parse(text) as Record<string, TypeDescriptions>;
}
