/**
 * Bootstrap tokens: signs the public cluster-info with them and removes those that have ended. Who
 * may use them is for the API server to say. Start reading at bootstrap-signer.ts.
 */
export { startBootstrapSigner } from './bootstrap-signer.ts';
export { startTokenCleaner } from './token-cleaner.ts';
