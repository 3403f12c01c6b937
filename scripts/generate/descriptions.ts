/**
 * Writes src/schema/generated/descriptions.json: what each type and field is for, from the comments
 * of kubernetes-models and, where those say nothing, of @kubernetes/client-node. The texts are
 * upstream's, so they are made at install time and not committed; without the file `kubectl explain`
 * shows fields without descriptions.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const clientNode = join(root, 'node_modules/@kubernetes/client-node/dist/gen/models');
const modelPackages = [
  join(root, 'node_modules/kubernetes-models'),
  join(root, 'node_modules/@kubernetes-models/apimachinery'),
];
const generated = join(root, 'src/schema/generated');

type Descriptions = Record<string, string>;

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** V1Pod, or CoreV1Event where several groups have a type of that name. */
function clientNodeFile(typeName: string): string | undefined {
  const [group = '', version = '', kind = ''] = typeName.split('.').slice(-3);
  const candidates = [`${capital(group)}${capital(version)}${kind}`, `${capital(version)}${kind}`];
  return candidates.map((model) => join(clientNode, `${model}.d.ts`)).find(existsSync);
}

/** IoK8sApiCoreV1Pod of io.k8s.api.core.v1.Pod: the name that every file of the models exports. */
function exportName(typeName: string): string {
  return typeName.split(/[.-]/).map(capital).join('');
}

/** Declaration texts by export name. */
function readModels(): Map<string, string> {
  const texts = new Map<string, string>();
  for (const folder of modelPackages.filter(existsSync)) {
    for (const file of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
      if (!file.endsWith('.d.ts') || /_schemas|index\.d\.ts$/.test(file)) continue;
      const text = readFileSync(join(folder, file), 'utf8');
      const name = /\bas I(IoK8s\w+)/.exec(text)?.[1];
      if (name !== undefined) texts.set(name, text.split('export declare class')[0] ?? '');
    }
  }
  return texts;
}

function clean(comment: string): string {
  const lines = comment.split('\n').map((line) => line.replace(/^\s*\*\s?/, ''));
  return lines
    .join('\n')
    .trim()
    .replaceAll(/\\(['"`])/g, '$1');
}

/** Field to description; the type's own is under the empty key. */
function describe(text: string): Descriptions {
  const result: Descriptions = {};
  const pattern =
    /\/\*\*((?:(?!\*\/)[\s\S])*)\*\/\s*(?:export (?:declare class|interface) \w+|['"]([^'"]+)['"]\??:)/g;
  for (const [, comment = '', field = ''] of text.matchAll(pattern)) {
    const isExtension = field.startsWith('x_kubernetes_');
    const name = isExtension ? field.replaceAll('_', '-') : field.replace(/^_/, '');
    result[name] = clean(comment);
  }
  return result;
}

const table = JSON.parse(readFileSync(join(generated, 'type-table.json'), 'utf8')) as {
  types: Record<string, unknown>;
};
const models = readModels();
const descriptions: Record<string, Descriptions> = {};
for (const typeName of Object.keys(table.types)) {
  const file = clientNodeFile(typeName);
  const fallback = file === undefined ? {} : describe(readFileSync(file, 'utf8'));
  const merged = { ...fallback, ...describe(models.get(exportName(typeName)) ?? '') };
  if (Object.keys(merged).length > 0) descriptions[typeName] = merged;
}
if (Object.keys(descriptions).length > 0) {
  writeFileSync(join(generated, 'descriptions.json'), JSON.stringify(descriptions));
} else {
  process.stdout.write('descriptions: the packages with the comments are not installed, skipped\n');
}
