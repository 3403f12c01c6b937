import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';

import { agentFlags, agentOnlyFlags, commonFlags } from './agent-flags.ts';
import { readConfigFile } from './config-file.ts';
import type { Flag } from './flag.ts';
import { parseArguments, refuseNotBuilt, resolveFlags } from './parse.ts';
import { serverFlags } from './server-flags.ts';

const flags: readonly Flag[] = [...commonFlags, ...serverFlags, ...agentFlags];
const folder = mkdtempSync(join(tmpdir(), 'k3ts-flags-'));
after(() => rmSync(folder, { recursive: true }));

function resolve(
  args: string[],
  file: Record<string, string[]> = {},
  environment: Record<string, string> = {},
): ReturnType<typeof resolveFlags> {
  return resolveFlags(flags, {
    commandLine: parseArguments(flags, args).raw,
    configFile: new Map(Object.entries(file)),
    environment,
  });
}

test('no flag is there twice', () => {
  for (const list of [flags, [...commonFlags, ...agentOnlyFlags, ...agentFlags]]) {
    const names = list.map((flag) => flag.name);
    assert.deepEqual(names.length, new Set(names).size);
  }
});

test('flags are read in every spelling of k3s', () => {
  const { values } = resolve([
    '--https-listen-port=7443',
    '-d',
    '/data',
    '--tls-san',
    'a,b',
    '--tls-san=c',
    '--debug',
    '--disable-agent=false',
  ]);
  assert.equal(values.get('https-listen-port'), 7443);
  assert.equal(values.get('data-dir'), '/data');
  assert.deepEqual(values.get('tls-san'), ['a', 'b', 'c']);
  assert.equal(values.get('debug'), true);
  assert.equal(values.get('disable-agent'), false);
});

test('arguments of other programs keep their commas', () => {
  const given = 'kube-reserved=cpu=200m,memory=100Mi';
  for (const name of ['kubelet-arg', 'kube-apiserver-arg']) {
    assert.deepEqual(resolve([`--${name}=${given}`]).values.get(name), [given]);
  }
});

test('one dash does for long flags, and = for short ones, as in Go', () => {
  const { values } = resolve(['-v=7', '-token', '-debug', '-d=/data', '-tls-san=a=b', '-debug']);
  assert.equal(values.get('v'), 7);
  assert.equal(values.get('token'), '-debug');
  assert.equal(values.get('data-dir'), '/data');
  assert.deepEqual(values.get('tls-san'), ['a=b']);
  assert.equal(values.get('debug'), true);
  assert.equal(resolve(['-v', '3']).values.get('v'), 3);
  const passed = parseArguments(flags, ['--', '-debug']);
  assert.deepEqual(passed.positionals, ['-debug']);
  assert.throws(() => resolve(['-nope']), { message: /^flag provided but not defined: -n/ });
});

test('the command line wins over the file, the file over the environment', () => {
  const environment = { K3S_TOKEN: 'env' };
  const file = { token: ['file'], 'tls-san': ['x', 'y'] };
  assert.equal(resolve(['--token=cli'], file, environment).values.get('token'), 'cli');
  assert.equal(resolve([], file, environment).values.get('token'), 'file');
  assert.equal(resolve([], {}, environment).values.get('token'), 'env');
  assert.deepEqual(resolve(['--tls-san=z'], file).values.get('tls-san'), ['z']);
});

test('wrong input is refused with a line that names the flag', () => {
  const cases: [string[], RegExp][] = [
    [['--nope'], /^flag provided but not defined: --nope$/],
    [['--token'], /^flag needs an argument: --token$/],
    [['--https-listen-port=x'], /--https-listen-port: a number expected/],
    [['--debug=maybe'], /--debug: true or false expected/],
  ];
  for (const [args, message] of cases) {
    assert.throws(() => resolve(args), { code: 'Usage', message });
  }
});

test('a flag of k3s that is not built yet is refused, its default and built values are not', () => {
  const check = (args: string[]): void => {
    const { values, given } = resolve(args);
    refuseNotBuilt(flags, values, given);
  };
  check([]);
  check(['--flannel-backend=none']);
  check(['--cluster-init=false']);
  const message =
    /^--flannel-backend=host-gw is not built into k3ts yet; supported values: vxlan, none$/;
  assert.throws(() => check(['--flannel-backend=host-gw']), { code: 'NotBuilt', message });
  assert.throws(() => check(['--cluster-init']), { code: 'NotBuilt' });
});

test('config files are merged by name, key+ appends, unknown keys are named', () => {
  const path = join(folder, 'config.yaml');
  mkdirSync(`${path}.d`);
  writeFileSync(path, 'token: one\ntls-san:\n- a\nnode-label: x=y\nnonsense: 1\n');
  writeFileSync(join(`${path}.d`, '10-more.yaml'), 'tls-san+: [b]\ndebug: true\n');
  writeFileSync(join(`${path}.d`, '20-last.yaml'), 'token: two\n');
  const { raw, warnings } = readConfigFile(path, { explicit: true, flags });
  assert.deepEqual(raw.get('tls-san'), ['a', 'b']);
  assert.deepEqual(raw.get('token'), ['two']);
  assert.deepEqual(raw.get('debug'), ['true']);
  assert.deepEqual(warnings, [`Unknown flag --nonsense found in ${path}, skipping`]);
});

test('a config file that is missing, broken or no mapping is refused by name', () => {
  const absent = join(folder, 'absent.yaml');
  assert.throws(() => readConfigFile(absent, { explicit: true, flags }), { code: 'Usage' });
  assert.equal(readConfigFile(absent, { explicit: false, flags }).raw.size, 0);
  const cases: [string, RegExp][] = [
    ['token: [', /^cannot read config file .*broken\.yaml: /],
    ['- a', /must hold keys and values$/],
    ['token: {a: b}', /the value of "token" must be/],
  ];
  for (const [text, message] of cases) {
    const path = join(folder, 'broken.yaml');
    writeFileSync(path, text);
    assert.throws(() => readConfigFile(path, { explicit: true, flags }), { message });
  }
});
