/**
 * Empties namespaces that are being deleted, pods first, and finalizes them. Refusing new content
 * is the API server's work. Start reading at namespace-controller.ts.
 */
export { startNamespaceController } from './namespace-controller.ts';
