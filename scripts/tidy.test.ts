/**
 * The house rules as a test, so that no reviewer has to say them: layers, faces, sizes, names and
 * who may touch the machine. There is no list of exceptions.
 */
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { test } from 'node:test';

const root = join(import.meta.dirname, '..');
const source = join(root, 'src');

/** Folders of src/ by layer; a folder imports from lower layers only. */
const layers: readonly (readonly string[])[] = [
  ['base'],
  ['schema', 'pki', 'cel', 'streaming'],
  ['store', 'client', 'host'],
  [
    'apiserver',
    'controllers',
    'scheduler',
    'kubelet',
    'proxy',
    'network',
    'datapath',
    'dns',
    'tunnel',
    'addons',
  ],
  ['server', 'agent'],
  ['testing', 'cli'],
];

/** Modules whose files are independent of each other and imported one by one. */
const openModules = new Set(['base', 'host']);

interface SourceFile {
  readonly path: string;
  readonly module: string;
  readonly text: string;
  readonly lines: readonly string[];
  readonly isTest: boolean;
}

interface Import {
  readonly from: SourceFile;
  readonly specifier: string;
  readonly module: string;
  readonly target: string;
}

function filesUnder(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    if (statSync(path).isDirectory()) return name === 'node_modules' ? [] : filesUnder(path);
    return [path];
  });
}

const files: SourceFile[] = filesUnder(source)
  .filter((path) => path.endsWith('.ts') && !path.includes('/generated/'))
  .map((path) => {
    const text = readFileSync(path, 'utf8');
    const name = relative(source, path);
    return {
      path: name,
      module: name.split('/')[0] ?? '',
      text,
      lines: text.split('\n'),
      // Fakes and suites that only tests import follow the rules of tests.
      isTest: /\.test\.ts$|(^|\/)testing\/|-suite\.ts$|(^|\/)fake-[a-z-]+\.ts$/.test(name),
    };
  });

function importsOf(file: SourceFile): Import[] {
  const pattern = /(?:from|import)\s*\(?\s*'([^']+)'/g;
  return [...file.text.matchAll(pattern)].flatMap((match) => {
    const specifier = match[1] ?? '';
    if (specifier.startsWith('#')) {
      const [module = '', ...rest] = specifier.slice(1).split('/');
      return [{ from: file, specifier, module, target: rest.join('/') }];
    }
    if (specifier.startsWith('.')) {
      const target = relative(source, resolve(dirname(join(source, file.path)), specifier));
      const [module = '', ...rest] = target.split('/');
      return [{ from: file, specifier, module, target: rest.join('/') }];
    }
    return [{ from: file, specifier, module: '', target: '' }];
  });
}

const imports = files.flatMap(importsOf);

function layerOf(module: string): number {
  return layers.findIndex((layer) => layer.includes(module));
}

function expectNone(offenders: readonly string[], rule: string): void {
  assert.deepEqual([...new Set(offenders)], [], rule);
}

test('every folder of src belongs to a layer', () => {
  const unknown = files.filter((file) => layerOf(file.module) < 0).map((file) => file.path);
  expectNone(unknown, 'add the folder to the layers in scripts/tidy.test.ts and docs');
});

test('imports point to lower layers only', () => {
  const offenders = imports
    .filter(({ from, module }) => module !== '' && module !== from.module)
    .filter(({ from, module }) => layerOf(module) >= layerOf(from.module))
    .map(({ from, specifier }) => `${from.path} imports ${specifier}`);
  expectNone(offenders, 'a folder imports only from lower layers, never from a neighbour');
});

test('a module is entered through a mod.ts', () => {
  const offenders = imports
    .filter(({ from, module }) => module !== '' && module !== from.module)
    .filter(({ module }) => !openModules.has(module))
    .filter(({ target }) => !/(^|\/)mod\.ts$/.test(target) && target !== 'types.ts')
    .map(({ from, specifier }) => `${from.path} imports ${specifier}`);
  expectNone(offenders, 'import another module through its mod.ts');
});

test('other modules are named by #module, own files by relative paths', () => {
  const offenders = imports
    .filter(({ from, module, specifier }) =>
      specifier.startsWith('#') ? module === from.module : module !== '' && module !== from.module,
    )
    .map(({ from, specifier }) => `${from.path} imports ${specifier}`);
  expectNone(offenders, '');
});

test('every mod.ts says at its top what the module does', () => {
  const offenders = files
    .filter((file) => /(^|\/)mod\.ts$/.test(file.path) && !file.text.startsWith('/**'))
    .map((file) => file.path);
  expectNone(offenders, 'start mod.ts with a doc comment');
});

/** Who may import what from outside; tests are free to. */
const doors: readonly { packages: RegExp; allowed: RegExp; rule: string }[] = [
  {
    packages: /^(node:sqlite|pg|mysql2)/,
    allowed: /^store\/drivers\//,
    rule: 'only store/drivers opens databases',
  },
  {
    packages: /^(koffi|node:child_process)$/,
    allowed: /^host\//,
    rule: 'only host/ starts processes and calls libc',
  },
  {
    packages: /^(@peculiar\/x509|reflect-metadata|jose)$/,
    allowed: /^pki\//,
    rule: 'only pki/ knows the certificate and token libraries',
  },
];

test('libraries with power are imported by their owner only', () => {
  const offenders = imports.flatMap(({ from, specifier }) =>
    doors
      .filter(({ packages, allowed }) => packages.test(specifier) && !allowed.test(from.path))
      .filter(() => !from.isTest)
      .map(({ rule }) => `${from.path} imports ${specifier}: ${rule}`),
  );
  expectNone(offenders, '');
});

/** Text that only some files may contain. */
const phrases: readonly { text: RegExp; allowed: RegExp; rule: string }[] = [
  {
    text: /\bDate\.now\(|\b(setTimeout|setInterval)\(|\bperformance\.now\(/,
    allowed: /^base\/(clock|fake-clock|trace)\.ts$/,
    rule: 'take a Clock',
  },
  {
    text: /\bMath\.random\(|\brandomBytes\(|\brandomUUID\(/,
    allowed: /^base\/random\.ts$/,
    rule: 'take a Random',
  },
  {
    text: /\bprocess\.(env|exit|argv)\b/,
    allowed: /^(cli|server|agent)\//,
    rule: 'only cli, server and agent read the environment or exit',
  },
  { text: /\bas any\b|:\s*any\b|@ts-ignore|@ts-expect-error/, allowed: /^$/, rule: 'no any' },
  {
    text: /^import (?!type\b).*'node:https?'/,
    allowed: /^$/,
    rule: 'take http from #base/node-http.ts, which does not load fetch',
  },
  { text: /\b(TODO|FIXME|XXX)\b/, allowed: /^$/, rule: 'file an issue instead' },
];

test('time, chance and the environment come in from outside', () => {
  const offenders = files
    .filter((file) => !file.isTest)
    .flatMap((file) =>
      phrases
        .filter(({ allowed }) => !allowed.test(file.path))
        .flatMap(({ text, rule }) =>
          file.lines.flatMap((line, index) =>
            text.test(line) && !/^\s*(\*|\/\/|\/\*)/.test(line)
              ? [`${file.path}:${index + 1}: ${rule}`]
              : [],
          ),
        ),
    );
  expectNone(offenders, '');
});

test('no test waits for time to pass', () => {
  const offenders = files
    .filter((file) => file.path.endsWith('.test.ts'))
    .flatMap((file) =>
      file.lines.flatMap((line, index) =>
        /\bsetTimeout\(|timers\/promises|systemClock\.sleep\(/.test(line)
          ? [`${file.path}:${index + 1}`]
          : [],
      ),
    );
  expectNone(offenders, 'use the FakeClock or wait for the event itself');
});

test('files stay short', () => {
  const offenders = files
    .filter((file) => file.lines.length > (file.isTest ? 800 : 600))
    .map((file) => `${file.path} has ${file.lines.length} lines`);
  expectNone(offenders, 'split it: 600 lines is the end, 800 for tests');
});

test('lines stay within 100 columns', () => {
  const offenders = files.flatMap((file) =>
    file.lines.flatMap((line, index) =>
      // A long text or pattern that cannot be broken is left alone.
      line.length > 100 && !/['"`/].{60,}/.test(line) ? [`${file.path}:${index + 1}`] : [],
    ),
  );
  expectNone(offenders, 'break the line');
});

test('names say what a file holds', () => {
  const offenders = files
    .map((file) => file.path)
    .filter(
      (path) =>
        !/^[a-z0-9/.-]+$/.test(path) ||
        /(^|[/-])(utils?|helpers?|common|misc|managers?|shared|stuff)[.-]/.test(path),
    );
  expectNone(offenders, 'kebab-case, and no drawers');
});

test('docs/internals has a page for each module that exists', () => {
  const modules = new Set(files.map((file) => file.module));
  const pages = new Set(
    readdirSync(join(root, 'docs/internals')).map((name) => name.replace(/\.md$/, '')),
  );
  expectNone(
    [...modules].filter((module) => !pages.has(module)),
    'write docs/internals/<module>.md',
  );
});

test('links in the docs lead somewhere', () => {
  const pages = [
    ...filesUnder(join(root, 'docs')),
    join(root, 'README.md'),
    join(root, 'CONTRIBUTING.md'),
  ].filter((path) => path.endsWith('.md'));
  const offenders = pages.flatMap((page) =>
    [...readFileSync(page, 'utf8').matchAll(/\]\(([^)#\s]+)[^)]*\)/g)]
      .map((match) => match[1] ?? '')
      .filter((link) => !/^[a-z]+:/.test(link))
      .filter((link) => !existsSync(resolve(dirname(page), link)))
      .map((link) => `${relative(root, page)}: ${link}`),
  );
  expectNone(offenders, 'mend the link');
});

test('no file names a path of the machine it was written on', () => {
  const machine = /(^|[^A-Za-z0-9._/-])\/(w[o]rk|f[a]rm)\//;
  const texts = [...filesUnder(join(root, 'docs')), ...filesUnder(join(root, 'scripts'))];
  const offenders = [...files.map((file) => join(source, file.path)), ...texts].filter((path) =>
    machine.test(readFileSync(path, 'utf8')),
  );
  expectNone(offenders, '');
});
