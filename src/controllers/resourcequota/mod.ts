/**
 * Adds up what a namespace uses of its ResourceQuotas. Admission books what is created; this puts
 * right what was deleted or never made. Start reading at resource-quota-controller.ts.
 */
export { startResourceQuotaController } from './resource-quota-controller.ts';
