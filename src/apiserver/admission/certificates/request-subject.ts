/** DER of attribute types: organizationName, 2.5.4.10, and commonName, 2.5.4.3. */
const organizationName = Buffer.from('55040a', 'hex');
const commonName = Buffer.from('550403', 'hex');
const sequence = 0x30;
const set = 0x31;

interface Element {
  readonly tag: number;
  readonly content: Buffer;
}

/** The O values in the subject of a PEM certificate request; throws when it cannot be read. */
export function requestOrganizations(pem: string): string[] {
  return subjectValues(pem, organizationName);
}

/** The last CN in the subject, empty without one; throws when the request cannot be read. */
export function requestCommonName(pem: string): string {
  return subjectValues(pem, commonName).at(-1) ?? '';
}

function subjectValues(pem: string, wanted: Buffer): string[] {
  const match = /-----BEGIN CERTIFICATE REQUEST-----([^-]+)-----END/.exec(pem);
  if (match === null) throw new Error('PEM block type must be CERTIFICATE REQUEST');
  const request = elements(Buffer.from(match[1] ?? '', 'base64'))[0];
  const info = request === undefined ? undefined : elements(request.content)[0];
  // CertificationRequestInfo: version, subject, public key, attributes.
  const subject = info === undefined ? undefined : elements(info.content)[1];
  if (subject?.tag !== sequence) throw new Error('certificate request has no subject');
  const found: string[] = [];
  for (const relative of elements(subject.content)) {
    if (relative.tag !== set) continue;
    for (const attribute of elements(relative.content)) {
      const [type, value] = elements(attribute.content);
      if (type?.content.equals(wanted) === true && value !== undefined) {
        found.push(textOf(value));
      }
    }
  }
  return found;
}

/** BMPString and UniversalString are wide; every other string type reads as UTF-8. */
function textOf(value: Element): string {
  if (value.tag !== 0x1e) return value.content.toString('utf8');
  return Buffer.from(value.content).swap16().toString('utf16le');
}

/** The DER elements that follow each other in `der`. */
function elements(der: Buffer): Element[] {
  const found: Element[] = [];
  let offset = 0;
  while (offset < der.length) {
    const tag = der[offset] ?? 0;
    const first = der[offset + 1] ?? 0;
    const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
    const start = offset + 2 + lengthBytes;
    if (lengthBytes > 4 || start > der.length) throw new Error('truncated DER');
    const length = lengthBytes === 0 ? first : der.readUIntBE(offset + 2, lengthBytes);
    if (start + length > der.length) throw new Error('truncated DER');
    found.push({ tag, content: der.subarray(start, start + length) });
    offset = start + length;
  }
  return found;
}
