/**
 * Who the parts of the control plane are: a user and a client for each of them. Not what they do.
 * Start at component-clients.ts.
 */
export {
  createAccountClient,
  createControllerClients,
  createManagerClient,
  createSchedulerClient,
} from './component-clients.ts';
