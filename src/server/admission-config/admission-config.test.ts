import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { readApiServerArgs } from '../api-server-args/mod.ts';
import { readAdmissionSettings } from './admission-settings.ts';

let dir: string;

before(async () => {
  dir = await mkdtemp(join(tmpdir(), 'k3ts-admission-'));
});

after(() => rm(dir, { recursive: true }));

async function settingsOf(plugins: string, ...args: string[]) {
  const file = join(dir, 'admission.yaml');
  await writeFile(
    file,
    `apiVersion: apiserver.config.k8s.io/v1\nkind: AdmissionConfiguration\nplugins:\n${plugins}`,
  );
  return await readAdmissionSettings(
    readApiServerArgs([`admission-control-config-file=${file}`, ...args]),
  );
}

test('defaults and exemptions of PodSecurity are read, inline or from a file', async () => {
  const inline = await settingsOf(`- name: PodSecurity
  configuration:
    defaults: {enforce: baseline, enforce-version: v1.30}
    exemptions: {namespaces: [kube-system]}
`);
  assert.deepEqual(inline.podSecurity, {
    defaults: { enforce: { level: 'baseline', version: 'v1.30' }, audit: {}, warn: {} },
    exemptions: { usernames: [], namespaces: ['kube-system'], runtimeClasses: [] },
  });
  await writeFile(join(dir, 'pod-security.yaml'), 'defaults: {warn: restricted}\n');
  const apart = await settingsOf('- {name: PodSecurity, path: pod-security.yaml}\n');
  assert.deepEqual(apart.podSecurity?.defaults.warn, { level: 'restricted' });
});

test('users of a kubeconfig are found by the host of the webhook', async () => {
  await writeFile(
    join(dir, 'kubeconfig'),
    `users:
- {name: exact.ns.svc, user: {token: one}}
- {name: '*.ns.svc', user: {username: u, password: p}}
- {name: 'example.com:8443', user: {token: port}}
- {name: '*', user: {token: any}}
`,
  );
  const { mutatingWebhook, validatingWebhook } = await settingsOf(`- name: MutatingAdmissionWebhook
  configuration: {kubeConfigFile: kubeconfig}
`);
  const shown = [
    mutatingWebhook?.('exact.ns.svc', 443)?.token,
    mutatingWebhook?.('other.ns.svc', 443)?.username,
    mutatingWebhook?.('example.com', 8443)?.token,
    mutatingWebhook?.('example.com', 443)?.token,
  ];
  assert.deepEqual(shown, ['one', 'u', 'port', 'any']);
  assert.equal(validatingWebhook, undefined);
});

test('rules of the other plugins are read', async () => {
  const settings = await settingsOf(`- name: ResourceQuota
  configuration:
    limitedResources:
    - {resource: pods, matchScopes: [{scopeName: PriorityClass, operator: In, values: [high]}]}
    - {resource: persistentvolumeclaims, matchContains: [requests.storage]}
- name: PodNodeSelector
  configuration: {podNodeSelectorPluginConfig: {clusterDefaultNodeSelector: a=b}}
- name: PodTolerationRestriction
  configuration: {whitelist: [{key: a, operator: Exists}]}
- name: ImagePolicyWebhook
  configuration: {imagePolicy: {kubeConfigFile: k, allowTTL: 30, denyTTL: -1, defaultAllow: true}}
`);
  assert.deepEqual(settings.limitedResources?.[0], {
    apiGroup: '',
    resource: 'pods',
    matchContains: [],
    matchScopes: [{ scopeName: 'PriorityClass', operator: 'In', values: ['high'] }],
  });
  assert.deepEqual(settings.limitedResources?.[1]?.matchContains, ['requests.storage']);
  assert.deepEqual(settings.nodeSelectors, { clusterDefaultNodeSelector: 'a=b' });
  assert.deepEqual(settings.tolerations?.whitelist, [{ key: 'a', operator: 'Exists' }]);
  assert.deepEqual(settings.imagePolicy, {
    kubeConfigFile: join(dir, 'k'),
    allowTtlMs: 30_000,
    denyTtlMs: 0,
    retryBackoffMs: 500,
    isAllowedByDefault: true,
  });
});

test('what cannot be meant ends the start', async () => {
  const cases: [plugins: string, args: string[], text: RegExp][] = [
    ['- {name: Priority}\n', [], /plugin "Priority" cannot be configured here$/],
    ['- {name: ImagePolicyWebhook}\n', [], /kubeConfigFile is required$/],
    [
      '- {name: ImagePolicyWebhook, configuration: {imagePolicy: {kubeConfigFile: k, denyTTL: 1801}}}\n',
      [],
      /valid value for denyTTL is between 1 and 1800, got 1801$/,
    ],
    ['- {name: PodSecurity, path: none.yaml}\n', [], /none.yaml: no such file or directory$/],
    [
      '- {name: PodSecurity, configuration: {defaults: {warn: strict}}}\n',
      [],
      /defaults.warn: Invalid value: "strict": must be one of privileged, baseline, restricted$/,
    ],
    ['- {name: EventRateLimit}\n', [], /limits must not be empty$/],
    [' []', ['enable-admission-plugins=EventRateLimit'], /EventRateLimit needs its limits/],
    [
      ' []',
      ['enable-admission-plugins=Priority', 'disable-admission-plugins=Priority'],
      /^\[Priority\] in enable-admission-plugins and disable-admission-plugins overlapped$/,
    ],
  ];
  for (const [plugins, args, message] of cases) {
    await assert.rejects(settingsOf(plugins, ...args), { code: 'Usage', message });
  }
  assert.throws(() => readApiServerArgs(['enable-admission-plugins=Nobody']), /is unknown$/);
});
