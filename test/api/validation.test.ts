/**
 * One bad object for each rule of upstream, sent to a server as `k3ts server --disable-agent`
 * composes it: 422, and among the causes the field, reason and message of the rule. The objects are
 * those of test/fixtures/validation.
 */
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { catalog } from '../../src/schema/catalog.ts';
import { objectOfCase } from '../../src/schema/validation/testing/check-kind.ts';
import { isErrorOf, readCases, readRules } from '../../src/schema/validation/testing/rule-cases.ts';
import type { RuleCase } from '../../src/schema/validation/testing/rule-cases.ts';
import type { Answer } from './answer.ts';
import { startTestApi, type TestApi } from './server.ts';

let api: TestApi;
before(async () => {
  api = await startTestApi();
  await api.until('/api/v1/namespaces/default/serviceaccounts/default', ({ status }) => {
    return status === 200;
  });
});
after(async () => await api.close());

const concurrency = 16;

/**
 * Rules that creations over the wire do not get to: a hook fills the field in or allocates first, an
 * admission plugin refuses earlier, or the strategy takes the field away (its feature is off, or two
 * equal owner references became one).
 */
const elsewhere = new Set(
  `
  Lease#3 Lease#4 Lease#5 PersistentVolumeClaimSpec#10 ResourceSlice#20 CRDNames#5 CertificateSigningRequest#10 CertificateSigningRequest#11 CertificateSigningRequest#12 CertificateSigningRequest#13 CertificateSigningRequest#14
  CertificateSigningRequest#15 CertificateSigningRequest#16 CertificateSigningRequest#8 CertificateSigningRequest#9 Event#10 FieldManager#0
  FieldManager#1 Job#1 Job#11 Job#2 Job#4 Job#6
  Job#7 Job#9 ObjectMeta#16 ObjectMeta#19 ObjectMeta#20 ObjectMeta#22 ObjectMeta#3
  ObjectMeta#4 ObjectMeta#5 ObjectMeta#6 Pod#3 PodSpec#111 PodSpec#112 PodSpec#77 PodSpec#85
  PodSpec#87 PodSpec#88 Service#27 Service#28 Service#29 Service#30
  Service#31 Service#33 Service#35 Service#36 Service#37 Service#38
  Service#58 Service#59 StatefulSet#9 VolumeAttachment#7 VolumeAttachment#8 VolumeAttachment#9
  `.split(/\s+/),
);

/** Fields that the strategy takes away from new objects. */
const dropped = /"(clusterTrustBundle|podCertificate|stopSignal|deprecatedTopology)"/;

function isElsewhere(one: RuleCase): boolean {
  return elsewhere.has(one.rule) || dropped.test(JSON.stringify(objectOfCase(one)));
}

async function create(one: RuleCase): Promise<Answer> {
  const { group, version, resource } = one;
  const info = catalog.byResource({ group, version, resource });
  assert.ok(info, resource);
  const body = objectOfCase(one);
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const at = info.namespaced ? `${root}/namespaces/default` : root;
  return await api.request('POST', `${at}/${resource}`, { body });
}

interface Status {
  readonly reason?: string;
  readonly message?: string;
  readonly details?: { readonly causes?: readonly Record<string, string>[] };
}

test('objects that break a rule are answered with 422 and the causes', async () => {
  const cases = readCases().filter((one) => one.on === 'create' && !isElsewhere(one));
  assert.ok(cases.length > 1300);
  const wrong: string[] = [];
  const next = cases.values();
  const work = async (): Promise<void> => {
    for (const one of next) {
      const answer = await create(one);
      const { reason, message = '', details } = answer.json as Status;
      const lines = (details?.causes ?? []).map(({ field, message: text }) => `${field}: ${text}`);
      const isNamed = lines.some((line) => isErrorOf(line, one));
      if (answer.status === 422 && reason === 'Invalid' && isNamed) continue;
      wrong.push(`${one.rule} ${answer.status} ${message.slice(0, 300)}\n  want ${one.error}`);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, work));
  assert.deepEqual(wrong, []);
});

test('each type of error has its reason', async () => {
  const reasons = new Map(readRules().map(({ id, reason }) => [id, `FieldValue${reason}`]));
  const seen = new Set<string>();
  for (const one of readCases()) {
    const reason = reasons.get(one.rule) ?? '';
    if (one.on !== 'create' || seen.has(reason) || isElsewhere(one)) continue;
    seen.add(reason);
    const { details } = (await create(one)).json as Status;
    const cause = details?.causes?.find((each) =>
      isErrorOf(`${each['field']}: ${each['message']}`, one),
    );
    assert.equal(cause?.['reason'], reason, one.rule);
  }
  assert.ok(seen.size >= 8, [...seen].join());
});
