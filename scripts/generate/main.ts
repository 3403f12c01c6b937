/**
 * Regenerates the tables under src/schema/generated.
 *
 *   node scripts/generate/main.ts                writes types.ts (needs dev dependencies only)
 *   node scripts/generate/main.ts --facts DIR    also writes the JSON tables
 *
 * DIR holds the API facts that npm packages lack (merge.json, protobuf.json, enums.json,
 * defaults.json, resources.json, printers.json). They are an input of this script alone: what the
 * program needs of them is merged into the tables, which are committed.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { generateDefaults } from './defaults.ts';
import { generatePrinters } from './printers.ts';
import { generateProtobuf } from './protobuf.ts';
import { generateResources } from './resources.ts';
import { generateTypeTable } from './type-table.ts';
import { generateTypes } from './types.ts';

const generated = join(import.meta.dirname, '../../src/schema/generated');

/** One line an entry, so that a change of the tables reads well in a diff. */
function writeTable(file: string, table: Record<string, unknown>): void {
  const parts = Object.entries(table).map(([key, value]) => {
    if (value === null || typeof value !== 'object' || Object.keys(value).length === 0) {
      return `${JSON.stringify(key)}:${JSON.stringify(value)}`;
    }
    if (Array.isArray(value)) {
      return `${JSON.stringify(key)}:[\n${value.map((item) => JSON.stringify(item)).join(',\n')}\n]`;
    }
    const lines = Object.entries(value).map(
      ([name, item]) => `${JSON.stringify(name)}:${JSON.stringify(item)}`,
    );
    return `${JSON.stringify(key)}:{\n${lines.join(',\n')}\n}`;
  });
  writeFileSync(join(generated, file), `{\n${parts.join(',\n')}\n}\n`);
}

const { values } = parseArgs({ options: { facts: { type: 'string' } } });
writeFileSync(join(generated, 'types.ts'), generateTypes());
if (values.facts !== undefined) {
  writeTable('type-table.json', generateTypeTable(values.facts));
  writeTable('resources.json', generateResources(values.facts));
  writeTable('defaults.json', generateDefaults(values.facts));
  writeTable('printers.json', generatePrinters(values.facts));
  writeTable('protobuf.json', generateProtobuf(values.facts));
}
