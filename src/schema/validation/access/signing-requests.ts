import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
} from '../../generated/types.ts';
import { jsonEqual } from '../../patch/json-equal.ts';
import { checkOneOf, requireOneOf, requireText } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import { specPath, statusPath } from '../field-path.ts';
import { checkSignerName } from '../formats/domain-names.ts';
import type { KindRules } from '../kind-rules.ts';
import { conditionStatuses } from '../shared/conditions.ts';
import type { Unchecked } from '../unchecked.ts';

type Request = Unchecked<CertificateSigningRequest>;
type Conditions = ReadonlyArray<Unchecked<CertificateSigningRequestCondition>>;

const usages: readonly string[] = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
];
const minSeconds = 600;
const finalTypes = ['Approved', 'Denied', 'Failed'];
const decisionTypes = ['Approved', 'Denied'];
const noConditions: Conditions = [];

export const signingRequestRules: KindRules<CertificateSigningRequest> = {
  name: () => [],
  check(errors, request, old) {
    checkSpec(errors, request, old);
    checkConditions(errors, request, old);
    checkCertificate(errors, request.status?.certificate ?? '', old?.status?.certificate);
  },
  update(errors, request, old) {
    checkChange(errors, request, old, false, false);
  },
  subresources: {
    status(errors, request, old) {
      checkConditions(errors, request, old);
      checkCertificate(errors, request.status?.certificate ?? '', old.status?.certificate);
      checkChange(errors, request, old, false, true);
    },
    approval(errors, request, old) {
      checkConditions(errors, request, old);
      checkChange(errors, request, old, true, false);
    },
  },
};

/** The request itself is read where it is signed; here it only has to look like one. */
function checkSpec(errors: ErrorList, { spec = {} }: Request, old: Request | undefined): void {
  const pem = Buffer.from(spec.request ?? '', 'base64').toString('latin1');
  const type = /-----BEGIN ([^-]*)-----/.exec(pem)?.[1];
  if (type !== 'CERTIFICATE REQUEST' && type !== 'NEW CERTIFICATE REQUEST') {
    const detail = 'PEM block type must be CERTIFICATE REQUEST';
    errors.invalid(specPath, 'request', spec.request ?? '', detail);
  }
  const { usages: wanted = [], signerName, expirationSeconds } = spec;
  if (wanted.length === 0) errors.required(specPath, 'usages');
  if (!jsonEqual(wanted, old?.spec?.usages)) {
    const seen = new Set<string>();
    wanted.forEach((usage, index) => {
      const path = specPath.child('usages');
      checkOneOf(errors, path, index, usage, usages);
      if (seen.has(usage)) errors.duplicate(path, index, usage);
      seen.add(usage);
    });
  }
  if (signerName === 'kubernetes.io/legacy-unknown') {
    const detail = 'the legacy signerName is not allowed via this API version';
    errors.invalid(specPath, 'signerName', signerName, detail);
  } else checkSignerName(errors, specPath, 'signerName', signerName);
  if (expirationSeconds !== undefined && expirationSeconds < minSeconds) {
    const detail = 'may not specify a duration less than 600 seconds (10 minutes)';
    errors.invalid(specPath, 'expirationSeconds', expirationSeconds, detail);
  }
}

function conditionsOf(request: Request | undefined): Conditions {
  return request?.status?.conditions ?? noConditions;
}

function checkConditions(errors: ErrorList, request: Request, old: Request | undefined): void {
  const conditions = conditionsOf(request);
  if (jsonEqual(conditions, conditionsOf(old))) return;
  const seen = new Set<string>();
  conditions.forEach(({ type = '', status = '' }, index) => {
    const path = statusPath.child('conditions').at(index);
    requireText(errors, path, 'type', type);
    const isFinal = finalTypes.includes(type);
    requireOneOf(errors, path, 'status', status, isFinal ? ['True'] : conditionStatuses);
    const other = type === 'Approved' ? 'Denied' : 'Approved';
    if (decisionTypes.includes(type) && seen.has(other)) {
      const detail = 'Approved and Denied conditions are mutually exclusive';
      errors.invalid(statusPath, 'conditions', type, detail);
    }
    if (seen.has(type)) errors.duplicate(path, 'type', type);
    seen.add(type);
  });
}

function checkCertificate(errors: ErrorList, base64: string, old: string | undefined): void {
  if (base64 === '' || base64 === old) return;
  const pem = Buffer.from(base64, 'base64').toString('latin1');
  const say = (detail: string): void =>
    errors.invalid(statusPath, 'certificate', '<certificate data>', detail);
  const blocks = [...pem.matchAll(/-----BEGIN ([^-]*)-----\r?\n([^-]*)/g)];
  for (const [, type = '', body = ''] of blocks) {
    if (type !== 'CERTIFICATE') {
      say(`only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(type)}`);
    } else if (body.includes(':')) say('no PEM block headers are permitted');
  }
  if (blocks.length === 0) say('must contain at least one CERTIFICATE PEM block');
}

function ofType(conditions: Conditions, type: string): Conditions {
  return conditions.filter((condition) => condition.type === type);
}

/** Decisions come through the approval endpoint, certificates through status. */
function checkChange(
  errors: ErrorList,
  request: Request,
  old: Request,
  isApproval: boolean,
  isStatus: boolean,
): void {
  const say = (text: string): void => errors.forbidden(statusPath, 'conditions', text);
  for (const type of finalTypes) {
    const now = ofType(conditionsOf(request), type);
    const before = ofType(conditionsOf(old), type);
    const quoted = `a condition of type "${type}"`;
    if (now.length < before.length) say(`updates may not remove ${quoted}`);
    if (isApproval || !decisionTypes.includes(type)) continue;
    if (now.length > before.length) say(`updates may not add ${quoted}`);
    else if (now.length === before.length && !jsonEqual(now, before)) {
      say(`updates may not modify ${quoted}\n`);
    }
  }
  const certificate = request.status?.certificate ?? '';
  const stored = old.status?.certificate ?? '';
  if (certificate === stored) return;
  if (!isStatus) {
    errors.forbidden(statusPath, 'certificate', 'updates may not set certificate content');
  } else if (stored !== '') {
    const detail = 'updates may not modify existing certificate content';
    errors.forbidden(statusPath, 'certificate', detail);
  }
}
