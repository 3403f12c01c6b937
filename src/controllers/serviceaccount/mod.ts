/** Keeps the default service account in each namespace. Tokens are the API server's work. */
export { startServiceAccountController } from './service-account-controller.ts';
