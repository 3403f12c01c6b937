/**
 * Writes src/schema/generated/descriptions.json: what each type and field is for, from the comments
 * of @kubernetes/client-node. The texts are upstream's, so they are made at install time and not
 * committed; without the file `kubectl explain` shows fields without descriptions.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const models = join(root, 'node_modules/@kubernetes/client-node/dist/gen/models');
const generated = join(root, 'src/schema/generated');

/** V1Pod, or CoreV1Event where several groups have a type of that name. */
function modelFile(typeName: string): string | undefined {
  const [group = '', version = '', kind = ''] = typeName.split('.').slice(-3);
  const upper = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
  const candidates = [`${upper(group)}${upper(version)}${kind}`, `${upper(version)}${kind}`];
  return candidates.map((model) => join(models, `${model}.d.ts`)).find(existsSync);
}

function clean(comment: string): string {
  return comment
    .split('\n')
    .map((line) => line.replace(/^\s*\*\s?/, ''))
    .join('\n')
    .trim()
    .replaceAll(/\\(['"`])/g, '$1');
}

/** Field to description; the type's own is under the empty key. */
function describe(text: string): Record<string, string> {
  const result: Record<string, string> = {};
  const pattern = /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(?:export declare class (\w+)|'([^']+)'\??:)/g;
  for (const [, comment = '', , field] of text.matchAll(pattern)) {
    const name = (field ?? '').startsWith('x_kubernetes_')
      ? (field ?? '').replaceAll('_', '-')
      : (field ?? '').replace(/^_/, '');
    result[name] = clean(comment);
  }
  return result;
}

if (existsSync(models)) {
  const table = JSON.parse(readFileSync(join(generated, 'type-table.json'), 'utf8')) as {
    types: Record<string, unknown>;
  };
  const descriptions: Record<string, Record<string, string>> = {};
  for (const typeName of Object.keys(table.types)) {
    const file = modelFile(typeName);
    if (file !== undefined) descriptions[typeName] = describe(readFileSync(file, 'utf8'));
  }
  writeFileSync(join(generated, 'descriptions.json'), JSON.stringify(descriptions));
} else {
  process.stdout.write('descriptions: @kubernetes/client-node is not installed, skipped\n');
}
