/**
 * The three controllers of CertificateSigningRequests: one approves those of kubelets, one signs
 * what is approved, one removes what is over. Start reading at signing-controller.ts, then
 * signers.ts.
 */
export { startCertificateApproving } from './approving-controller.ts';
export { startCertificateCleaner } from './cleaner-controller.ts';
export { startCertificateSigning } from './signing-controller.ts';
