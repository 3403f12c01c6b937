import type * as X509 from '@peculiar/x509';

/**
 * The certificate library, for signing requests of others; loaded at first use: it costs a sixth of
 * a second. Our own certificates and requests are written without it (certificate.ts).
 */
export async function loadX509(): Promise<typeof X509> {
  // The library reads decorators' metadata but does not bring the package that keeps it.
  await import('reflect-metadata');
  return await import('@peculiar/x509');
}
