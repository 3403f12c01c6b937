import { ApiStatusError } from '#base/api-status-error.ts';
import type { StatusBody } from '#base/api-status-error.ts';
import { messageOf } from '#base/errors.ts';

/** A Status as it goes to clients of exec: without kind and code where upstream leaves them out. */
export type CommandStatus = Partial<StatusBody>;

export const successStatus: CommandStatus = { metadata: {}, status: 'Success' };

/**
 * What the error stream of SPDY says at the end, by the version of its protocol. Version 4 says
 * something in any case: unlike upstream, silence is not taken for success, because it comes from
 * connections that broke.
 */
export function readErrorStream(protocol: string, content: string): CommandStatus {
  if (protocol !== 'v4.channel.k8s.io') {
    if (content === '') return successStatus;
    return failureStatus(`error executing remote command: ${content}`);
  }
  if (content === '') return failureStatus('the connection to the container was lost');
  let status: CommandStatus;
  try {
    status = JSON.parse(content) as CommandStatus;
  } catch (error) {
    return failureStatus(
      `error stream protocol error: ${messageOf(error)} in ${JSON.stringify(content)}`,
    );
  }
  if (status.status === 'Success') return successStatus;
  if (status.status !== 'Failure') {
    return failureStatus('error stream protocol error: unknown error');
  }
  if (status.reason !== 'NonZeroExitCode') return failureStatus(status.message ?? '');
  return exitStatus(status);
}

/** Any failure of a command as the API server tells it. */
export function failureStatus(text: string): CommandStatus {
  return new ApiStatusError({
    httpCode: 500,
    reason: 'InternalError',
    message: `Internal error occurred: ${text}`,
    details: { causes: [{ message: text }] },
  }).toStatus();
}

function exitStatus(status: CommandStatus): CommandStatus {
  const cause = status.details?.causes?.find(({ reason }) => reason === 'ExitCode');
  if (cause === undefined) {
    return failureStatus('error stream protocol error: no ExitCode cause given');
  }
  const code = cause.message ?? '';
  if (!/^\d{1,3}$/.test(code) || Number(code) > 255) {
    return failureStatus(
      `error stream protocol error: invalid exit code value ${JSON.stringify(code)}`,
    );
  }
  return {
    metadata: {},
    status: 'Failure',
    message: `command terminated with non-zero exit code: command terminated with exit code ${code}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: code }] },
  };
}
