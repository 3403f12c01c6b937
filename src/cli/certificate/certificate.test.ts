import assert from 'node:assert/strict';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, test } from 'node:test';

import { createLogger, silentLogger } from '#base/log.ts';
import { createAuthority, createEcKey, issueCertificate } from '#pki/mod.ts';
import { checkCertificates } from './check-certificates.ts';
import { logReport, renderReportData, renderReportTable, residualText } from './render-report.ts';
import { rotateCertificates } from './rotate-certificates.ts';
import { allServices } from './services.ts';

const dayMs = 86_400_000;
const issuedMs = Date.parse('2026-05-01T12:00:00Z');
let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'k3ts-certificate-'));
  await mkdir(join(dataDir, 'server/tls/etcd'), { recursive: true });
  await mkdir(join(dataDir, 'agent'));
});
afterEach(async () => await rm(dataDir, { recursive: true }));

/** A leaf with its authority behind it, valid for a year. */
async function leaf(path: string): Promise<void> {
  const serial = Buffer.from('01', 'hex');
  const authority = await createAuthority({
    commonName: 'k3s-client-ca',
    keyPem: await createEcKey(),
    nowMs: issuedMs,
    serial,
  });
  const key = await createEcKey();
  const pem = await issueCertificate({
    authority,
    commonName: 'system:admin',
    purposes: ['client'],
    key,
    nowMs: issuedMs,
    serial,
  });
  const chain = pem.includes(authority.certificatePem) ? pem : pem + authority.certificatePem;
  await writeFile(join(dataDir, `${path}.crt`), chain);
  await writeFile(join(dataDir, `${path}.key`), key);
}

test('a check tells what each certificate is for and how long it holds', async () => {
  await leaf('server/tls/client-admin');
  const at = async (nowMs: number): Promise<(string | number)[][]> =>
    (await checkCertificates(dataDir, ['admin', 'kubelet'], nowMs)).map((report) => [
      report.fileName,
      report.subject,
      report.issuer,
      report.usages.join(),
      report.status,
    ]);
  assert.deepEqual(await at(issuedMs), [
    ['client-admin.crt', 'system:admin', 'k3s-client-ca', 'ClientAuth', 'OK'],
    ['client-admin.crt', 'k3s-client-ca', 'k3s-client-ca', 'CertSign', 'OK'],
  ]);
  const statuses = async (nowMs: number): Promise<unknown[]> =>
    (await at(nowMs)).map((row) => row[4]);
  assert.deepEqual(await statuses(issuedMs + 300 * dayMs), ['WARNING', 'OK']);
  assert.deepEqual(await statuses(issuedMs + 400 * dayMs), ['EXPIRED', 'OK']);
  assert.deepEqual(await statuses(issuedMs - dayMs), ['NOT YET VALID', 'NOT YET VALID']);
  await writeFile(join(dataDir, 'agent/client-kubelet.crt'), await brokenPem());
  await assert.rejects(at(issuedMs), { message: /^cannot read .*client-kubelet\.crt: / });
});

function brokenPem(): Promise<string> {
  return Promise.resolve('-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
}

test('a report is a table, data, or log lines as loud as they are urgent', async () => {
  await leaf('server/tls/client-admin');
  const reports = await checkCertificates(dataDir, ['admin'], issuedMs + 300 * dayMs);
  const table = renderReportTable(reports).split('\n');
  assert.match(table[1] ?? '', /^FILENAME +SUBJECT +USAGES +EXPIRES +RESIDUAL TIME +STATUS$/);
  assert.match(
    table[3] ?? '',
    /^client-admin\.crt +system:admin +ClientAuth +May 01, 2027 \d\d:00 UTC +2 months +WARNING$/,
  );
  const data = JSON.parse(renderReportData(reports, 'json')) as { Certificates: object[] };
  assert.deepEqual(Object.keys(data.Certificates[0] ?? {}), [
    'Filename',
    'Subject',
    'Issuer',
    'Usages',
    'ExpiryTime',
    'ResidualTime',
    'Status',
  ]);
  assert.match(renderReportData(reports, 'yaml'), /^Certificates:\n {2}- Filename: client-admin/);
  let written = '';
  const log = createLogger({ level: 'info', now: () => 0, write: (line) => (written += line) });
  logReport(reports, log);
  assert.match(written, /level=warning msg="client-admin\.crt: certificate system:admin \(Clien/);
  assert.match(written, /level=info msg="client-admin\.crt: certificate k3s-client-ca \(CertSig/);
});

test('a residual time has one unit', () => {
  const cases: [number, string][] = [
    [0, 'now'],
    [59_000, '59 seconds'],
    [3_600_000, '1 hour'],
    [8 * dayMs, '1 week'],
    [364 * dayMs, '1 year'],
    [-3 * dayMs, '3 days'],
  ];
  for (const [residualMs, text] of cases) assert.equal(residualText(residualMs), text);
});

test('a rotation takes certificates and keys away and keeps copies', async () => {
  await leaf('server/tls/client-admin');
  await leaf('server/tls/etcd/client');
  await leaf('server/tls/client-ca');
  await leaf('agent/client-kubelet');
  const kubelet = await readFile(join(dataDir, 'agent/client-kubelet.crt'), 'utf8');
  const options = { dataDir, services: allServices, nowMs: issuedMs, log: silentLogger };
  const backup = await rotateCertificates(options);
  assert.equal(backup, join(dataDir, 'server', `tls-${issuedMs / 1000}`));
  assert.deepEqual((await readdir(join(dataDir, 'server/tls'))).sort(), [
    'client-ca.crt',
    'client-ca.key',
    'etcd',
  ]);
  assert.deepEqual(await readdir(join(dataDir, 'server/tls/etcd')), []);
  assert.deepEqual(await readdir(join(dataDir, 'agent')), []);
  assert.equal(await readFile(join(backup, 'client-kubelet.crt'), 'utf8'), kubelet);
  assert.deepEqual((await readdir(join(backup, 'etcd'))).sort(), ['client.crt', 'client.key']);
});
