/**
 * Encryption at rest: a Backend around another one that seals the values of the kinds which an
 * EncryptionConfiguration names, in upstream's stored forms. It keeps no keys but those of the
 * configuration and opens no files. Start at encrypted-backend.ts, then config.ts, ciphers.ts
 * and kms-provider.ts.
 */
export type { EncryptionRules } from './config.ts';
export { parseEncryptionConfig } from './config.ts';
export type { EncryptionTools } from './kms-config.ts';
export type { EncryptionState } from './encrypted-backend.ts';
export { EncryptedBackend } from './encrypted-backend.ts';
