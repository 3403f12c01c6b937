/**
 * Makes Jobs at the times that CronJobs say. What a schedule means is in schedule.ts, which of its
 * times is due in due-time.ts; start reading at cron-job-controller.ts.
 */
export { startCronJobController } from './cron-job-controller.ts';
