/**
 * Tokens of service accounts that are kept in Secrets: fills those that somebody asks for, removes
 * them with their account, and in time those that nobody uses. Start reading at
 * token-controller.ts.
 */
export { startLegacyTokenCleaner } from './legacy-token-cleaner.ts';
export { startServiceAccountTokenController } from './token-controller.ts';
