/** Keeps the columns of each kind: name, type, format, priority. The cells are code: src/schema/table/. */
import { readFacts } from './facts.ts';

interface ColumnFact {
  name: string;
  type: string;
  format?: string;
  priority?: number;
}

export function generatePrinters(directory: string): Record<string, unknown> {
  const facts = readFacts(directory, 'printers') as {
    kinds: Record<string, { columns: ColumnFact[] }>;
  };
  const columns: Record<string, unknown> = {};
  for (const [kind, { columns: list }] of Object.entries(facts.kinds)) {
    columns[kind] = list.map(({ name, type, format, priority }) => [
      name,
      type,
      format ?? '',
      priority ?? 0,
    ]);
  }
  return { columns };
}
