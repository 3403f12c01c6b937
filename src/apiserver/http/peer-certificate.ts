import type { TLSSocket } from 'node:tls';

/**
 * The client certificate of a connection, read once: reading it from OpenSSL costs more than
 * answering a GET.
 */
const certificates = new WeakMap<object, { der: Buffer | undefined }>();

/** DER of the certificate that the peer showed; undefined without one, and without TLS. */
export function peerCertificateOf(socket: object): Buffer | undefined {
  const known = certificates.get(socket);
  if (known !== undefined) return known.der;
  const read = (socket as Partial<TLSSocket>).getPeerX509Certificate;
  const der = read === undefined ? undefined : read.call(socket)?.raw;
  certificates.set(socket, { der });
  return der;
}
