/** What people do to objects with kubectl, today's and Debian's old one: make, look, change, drop. */
import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';

import { kubectlSession, kubectlVersions } from './kubectl-versions.ts';
import type { KubectlSession, KubectlVersion } from './kubectl-versions.ts';
import type { TestApi } from './server.ts';
import { startTestApi } from './server.ts';

let api: TestApi;
before(async () => void (api = await startTestApi({ disableScheduler: true })));
after(() => api.close());

const map = (name: string, value: string, more = ''): string =>
  `apiVersion: v1
kind: ConfigMap
metadata: {name: ${name}, labels: {set: s}}
data: {x: "${value}"}
${more}`;
const secret = `apiVersion: v1
kind: Secret
metadata: {name: c, labels: {set: s}}
`;

describe('objects', { concurrency: true }, () => {
  for (const version of kubectlVersions()) testObjects(version);
});

function testObjects(version: KubectlVersion): void {
  describe(version.title, { concurrency: 1 }, () => {
    const { isOld } = version;
    const namespace = isOld ? 'old' : 'new';
    let k: KubectlSession;
    before(async () => {
      k = kubectlSession(api, version, namespace);
      await k.run(`create namespace ${namespace}`);
    });

    test('discovery: versions, groups, kinds and fields', async () => {
      assert.match(await k.run('version'), /v1\.36\.2\+k3ts1/);
      assert.match(await k.run('cluster-info'), /control plane.* is running at .*https:/);
      const apps = await k.run('api-resources --api-group=apps --verbs=list -o name');
      assert.deepEqual(apps.trim().split('\n'), [
        'controllerrevisions.apps',
        'daemonsets.apps',
        'deployments.apps',
        'replicasets.apps',
        'statefulsets.apps',
      ]);
      assert.match(await k.run('api-versions'), /^apps\/v1$[^]*^v1$/m);
      const explained = await k.run('explain deployments.spec.strategy.rollingUpdate.maxSurge');
      assert.match(
        explained,
        isOld ? /FIELD: +maxSurge <string>/ : /FIELD: maxSurge <IntOrString>/,
      );
      assert.match(await k.run('explain pod --recursive'), /containers\t<\[\](Object|Container)>/);
      const version1 = await k.run('explain hpa.spec --api-version=autoscaling/v1');
      assert.match(version1, /targetCPUUtilizationPercentage\t<integer>/);
      assert.match(await k.refusal('explain pod.nosuch'), /field "nosuch" does not exist/);
      assert.match(await k.refusal('get nosuch'), /doesn't have a resource type "nosuch"/);
    });

    test('apply keeps what others set, takes back what it does not say any more', async () => {
      const file = join(api.dataDir, `${namespace}.yaml`);
      await writeFile(file, map('a', '1', 'immutable: false'));
      assert.equal(await k.run(`apply -f ${file}`), 'configmap/a created\n');
      await k.run(['patch', 'cm', 'a', '-p', '{"data":{"other":"o"}}']);
      await writeFile(file, map('a', '2'));
      const difference = await k.attempt(`diff -f ${file}`);
      assert.equal(difference.code, 1);
      assert.match(difference.stdout, /^-immutable: false$/m);
      assert.match(difference.stdout, /^-  x: "1"\n[^]*^\+  x: "2"$/m);
      const dry = await k.run(`apply --dry-run=server -f ${file}`);
      assert.equal(dry, 'configmap/a configured (server dry run)\n');
      assert.equal(await k.run(`apply -f ${file}`), 'configmap/a configured\n');
      assert.equal(await k.run(`apply -f ${file}`), 'configmap/a unchanged\n');
      const shown = await k.run('get cm a -o jsonpath={.data}{.immutable}');
      assert.equal(shown, '{"other":"o","x":"2"}');
      assert.match(await k.run('apply view-last-applied cm a'), /^ {2}x: "2"$/m);
      assert.equal(await k.run(`apply set-last-applied -f ${file}`), 'configmap/a configured\n');
      assert.equal(await k.run(`delete -f ${file}`), 'configmap "a" deleted\n');
    });

    test('server-side apply tells whose fields it would take', async () => {
      const apply = 'apply --server-side -f -';
      const applied = await k.run(apply, { stdin: map('a', '1') });
      assert.equal(applied, 'configmap/a serverside-applied\n');
      const other = `${apply} --field-manager=other`;
      const conflict = await k.refusal(other, { stdin: map('a', '2') });
      assert.match(
        conflict,
        /^error: Apply failed with 1 conflict: conflict with "kubectl": \.data\.x/,
      );
      await k.run(`${other} --force-conflicts`, { stdin: map('a', '2') });
      const managers = await k.run('get cm a -o jsonpath={.metadata.managedFields[*].manager}');
      assert.equal(managers, 'kubectl other');
      assert.equal(
        await k.run('diff --server-side --field-manager=other -f -', {
          stdin: map('a', '2'),
        }),
        '',
      );
      await k.run('delete cm a');
    });

    test('apply --prune drops what its files left out', async () => {
      const both = `${map('a', '1')}---\n${map('b', '1')}---\n${secret}`;
      const [first, next] = [both, map('a', '2')];
      // the old one's own list of kinds to prune names versions that are gone, upstream, too
      const kinds = isOld
        ? '--prune-whitelist=core/v1/ConfigMap'
        : '--prune-allowlist=core/v1/ConfigMap';
      const prune = `apply --prune -l set=s ${kinds} -f -`;
      assert.match(
        await k.run(prune, { stdin: first }),
        /a created\n.*b created\nsecret\/c created/,
      );
      assert.equal(
        await k.run(prune, { stdin: next }),
        'configmap/a configured\nconfigmap/b pruned\n',
      );
      assert.equal(await k.run('get cm,secret -l set=s -o name'), 'configmap/a\nsecret/c\n');
      await k.run('delete cm,secret -l set=s');
      if (isOld) return;
      const set = 'apply --prune --applyset=app -f -';
      const env = { KUBECTL_APPLYSET: 'true' };
      await k.run(set, { stdin: first, env });
      const pruned = await k.run(set, { stdin: next, env });
      // kinds of a set are pruned at the same time
      assert.deepEqual(pruned.trim().split('\n').sort(), [
        'configmap/a configured',
        'configmap/b pruned',
        'secret/c pruned',
      ]);
      const kindsOfSet =
        'get secret app -o jsonpath={.metadata.annotations.applyset\\.kubernetes\\.io/contains-group-kinds}';
      assert.equal(await k.run(kindsOfSet), 'ConfigMap');
      await k.run('delete cm/a secret/app');
    });

    test('get prints the same objects in every form', async () => {
      for (const name of ['q', 'p']) await k.run(`create cm ${name} --from-literal=x=${name}`);
      const get = 'get cm p q';
      assert.match(await k.run('get cm q -o wide'), /^NAME +DATA +AGE\nq +1 +\d+s\n$/);
      assert.equal(await k.run(`${get} -o name --sort-by=.data.x`), 'configmap/p\nconfigmap/q\n');
      const columns = '-o custom-columns=N:.metadata.name,X:.data.x';
      assert.match(await k.run(`${get} ${columns}`), /^N +X\np +p\nq +q\n$/);
      const template = '-o go-template={{range.items}}{{.data.x}}{{end}}';
      assert.equal(await k.run(`${get} ${template}`), 'pq');
      const path = '-o jsonpath={.items[?(@.metadata.name=="q")].data.x}';
      assert.equal(await k.run(`${get} ${path}`), 'q');
      const json = JSON.parse(await k.run(`${get} -o json`)) as { kind: string; items: object[] };
      assert.deepEqual([json.kind, json.items.length], ['List', 2]);
      assert.match(await k.run(`${get} -o yaml`), /^apiVersion: v1\nitems:\n- apiVersion: v1\n/);
      const fields = 'get cm --field-selector metadata.name!=p,metadata.name!=kube-root-ca.crt';
      assert.equal(await k.run(`${fields} -o name`), 'configmap/q\n');
      const unknown = await k.refusal('get cm --field-selector data.x=1');
      assert.match(unknown, /"data\.x" is not a known field selector: only "metadata\.name"/);
      assert.match(
        await k.run('get cm q -L set --show-labels --no-headers'),
        /^q +1 +\d+s +<none>\n$/,
      );
      const list = await k.run(`get --raw /api/v1/namespaces/${namespace}/configmaps?limit=1`);
      assert.match(list, /"continue":"[^"]+","remainingItemCount":2/);
      assert.match(await k.refusal('get --raw /nosuch'), /could not find the requested resource/);
      await k.run('delete cm p q');
    });

    test('a watch shows what comes, changes and goes', async () => {
      const names = k.follow('get cm --watch-only -o name');
      const rows = k.follow('get cm --output-watch-events -w');
      const hasBoth = (round: number): boolean =>
        names.output().split(`configmap/w${round}\n`).length === 4 &&
        new RegExp(`ADDED +w${round} .*\nMODIFIED +w${round} .*\nDELETED +w${round} `).test(
          rows.output(),
        );
      try {
        let round = 0;
        // the first ones come before the watches are there
        do {
          assert.ok(++round < 30, names.output() + rows.output());
          await k.run(`create cm w${round}`);
          await k.run(`label cm w${round} a=b`);
          await k.run(`delete cm w${round}`);
        } while (!hasBoth(round) && !hasBoth(round - 1));
      } finally {
        await Promise.all([names.stop(), rows.stop()]);
      }
    });

    test('label, annotate, edit, replace and patch, with what they refuse', async () => {
      await k.run('create cm m --from-literal=x=1');
      assert.equal(await k.run('label cm m t=1'), 'configmap/m labeled\n');
      const taken = await k.refusal('label cm m t=2');
      assert.match(taken, /'t' already has a value \(1\), and --overwrite is false/);
      assert.equal(await k.run('label cm m t=2 --overwrite'), 'configmap/m labeled\n');
      const stale = await k.refusal('annotate cm m n=1 --resource-version=1');
      assert.match(
        stale,
        /\(Conflict\): Operation cannot be fulfilled on configmaps "m": the object/,
      );
      assert.match(await k.refusal(['label', 'cm', 'm', 'bad key=1']), /name part must consist of/);
      const env = { EDITOR: 'sed -i s/x:.*/x:\\ two/' };
      assert.equal(await k.run('edit cm m', { env }), 'configmap/m edited\n');
      const unchanged = await k.attempt('edit cm m', { env: { EDITOR: 'true' } });
      assert.match(unchanged.stdout + unchanged.stderr, /Edit cancelled, no changes made/);
      await k.run(['patch', 'cm', 'm', '--type=merge', '-p', '{"data":{"x":null,"y":"1"}}']);
      const replaceY =
        '[{"op":"test","path":"/data/y","value":"1"},{"op":"move","from":"/data/y","path":"/data/z"}]';
      await k.run(['patch', 'cm', 'm', '--type=json', '-p', replaceY]);
      assert.equal(await k.run('get cm m -o jsonpath={.data}'), '{"z":"1"}');
      const again = await k.refusal(['patch', 'cm', 'm', '--type=json', '-p', replaceY]);
      assert.match(again, /^The request is invalid/);
      const old =
        '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"m","resourceVersion":"1"}}';
      assert.match(await k.refusal('replace -f -', { stdin: old }), /the object has been modified/);
      const forced = await k.run('replace --force -f -', { stdin: map('m', 'forced') });
      assert.equal(forced, 'configmap "m" deleted\nconfigmap/m replaced\n');
      await k.run('delete cm m');
    });

    test('create says what is wrong, raw requests and kustomizations pass', async () => {
      assert.match(
        await k.refusal('create cm Bad_Name'),
        /"Bad_Name" is invalid: metadata\.name: Inv/,
      );
      const pod =
        '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"nosuch":1,"containers":[{"name":"c","image":"i","foo":1}]}}';
      const strict = await k.refusal('create -f -', { stdin: pod });
      assert.match(strict, /unknown field "(spec\.containers\[0\]\.)?foo"/);
      const lax = await k.refusal('create --validate=false -f -', {
        stdin: pod.replace('"image":"i",', ''),
      });
      assert.match(lax, /The Pod "p" is invalid: spec\.containers\[0\]\.image: Required value/);
      const maps = `/api/v1/namespaces/${namespace}/configmaps`;
      await k.run(`create --raw ${maps} -f -`, { stdin: '{"metadata":{"name":"raw"}}' });
      assert.match(await k.run(`delete --raw ${maps}/raw`), /"status":"Success"/);
      const folder = join(api.dataDir, `kust-${namespace}`);
      await mkdir(folder);
      await writeFile(join(folder, 'a.yaml'), map('a', '1'));
      await writeFile(
        join(folder, 'kustomization.yaml'),
        'resources: [a.yaml]\nnamePrefix: pre-\nconfigMapGenerator: [{name: g, literals: [a=b]}]\n',
      );
      assert.match(await k.run(`kustomize ${folder}`), /name: pre-a[^]*name: pre-g-/);
      assert.match(
        await k.run(`apply -k ${folder}`),
        /configmap\/pre-a created\n.*pre-g-\w+ created/,
      );
      await k.run(`delete -k ${folder}`);
    });

    test('a custom kind is as good as a built-in one', async () => {
      const plural = isOld ? 'olds' : 'news';
      const group = `${plural}.example.com`;
      const properties = {
        spec: {
          type: 'object',
          required: ['size'],
          properties: { size: { type: 'integer', minimum: 1, description: 'How big' } },
        },
        status: { type: 'object', properties: { phase: { type: 'string' } } },
      };
      const crd = {
        apiVersion: 'apiextensions.k8s.io/v1',
        kind: 'CustomResourceDefinition',
        metadata: { name: `${plural}.${group}` },
        spec: {
          group,
          scope: 'Namespaced',
          names: {
            plural,
            singular: plural.slice(0, -1),
            kind: 'Sized',
            shortNames: ['sz'],
            categories: ['all'],
          },
          versions: [
            {
              name: 'v1',
              served: true,
              storage: true,
              subresources: { status: {} },
              additionalPrinterColumns: [{ name: 'Size', type: 'integer', jsonPath: '.spec.size' }],
              schema: { openAPIV3Schema: { type: 'object', properties } },
            },
          ],
        },
      };
      await k.run('apply -f -', { stdin: JSON.stringify(crd) });
      await k.run(`wait --for=condition=Established crd/${plural}.${group} --timeout=60s`);
      const one = {
        apiVersion: `${group}/v1`,
        kind: 'Sized',
        metadata: { name: 'one' },
        spec: { size: 3 },
      };
      await k.run('apply -f -', { stdin: JSON.stringify(one) });
      assert.match(await k.run(`get ${plural}`), /^NAME +SIZE\none +3\n$/);
      assert.match(
        await k.run('get all'),
        new RegExp(`^sized\\.${group}/one +3|${plural.slice(0, -1)}\\.${group}/one +3`, 'm'),
      );
      assert.match(await k.run(`explain ${plural}.spec`), /size\t<integer> -required-\n +How big/);
      const small = await k.refusal([
        'patch',
        plural,
        'one',
        '--type=merge',
        '-p',
        '{"spec":{"size":0}}',
      ]);
      assert.match(
        small,
        /The Sized "one" is invalid: spec\.size: Invalid value: 0: spec\.size in body/,
      );
      const strategic = await k.refusal(['patch', plural, 'one', '-p', '{"spec":{"size":4}}']);
      assert.match(
        strategic,
        /the body of the request was in an unknown format - accepted media types/,
      );
      if (!isOld) {
        const status = '{"status":{"phase":"Done"}}';
        await k.run(['patch', plural, 'one', '--subresource=status', '--type=merge', '-p', status]);
        await k.run([
          'wait',
          `${plural}/one`,
          '--for=jsonpath={.status.phase}=Done',
          '--timeout=60s',
        ]);
        const late = await k.refusal(`wait ${plural}/one --for=condition=Ready --timeout=1s`);
        assert.match(late, new RegExp(`timed out waiting for the condition on ${plural}/one`));
      }
      assert.match(await k.run(`describe ${plural} one`), /^Kind: +Sized$[^]*Size: +3/m);
      await k.run(`delete crd ${plural}.${group}`);
      assert.match(await k.refusal(`get ${plural}`), /could not find the requested resource/);
    });

    test('delete waits for finalizers, and a namespace goes with all in it', async () => {
      await k.run('create cm held');
      await k.run([
        'patch',
        'cm',
        'held',
        '-p',
        '{"metadata":{"finalizers":["example.com/hold"]}}',
      ]);
      assert.equal(await k.run('delete cm held --wait=false'), 'configmap "held" deleted\n');
      const late = await k.refusal('wait --for=delete cm/held --timeout=1s');
      assert.match(late, /timed out waiting for the condition on configmaps\/held/);
      const free = '{"metadata":{"finalizers":null}}';
      await k.run(['patch', 'cm', 'held', '--type=merge', '-p', free]);
      assert.match(await k.refusal('delete cm held'), /\(NotFound\): configmaps "held" not found/);
      assert.equal(await k.run('delete cm held --ignore-not-found'), '');
      assert.match(
        await k.run(`delete namespace ${namespace}`),
        new RegExp(`namespace "${namespace}" del`),
      );
      assert.match(await k.refusal('get cm x'), new RegExp(`namespaces "${namespace}" not found`));
    });
  });
}
