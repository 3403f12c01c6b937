import type { Lifecycle, LifecycleHandler, Probe } from '../../generated/types.ts';
import { checkNotNegative, checkOneOf, requireText } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import type { FieldPath } from '../field-path.ts';
import { headerNameErrors } from '../formats/names.ts';
import { checkPort, checkPortOrName } from '../formats/ports.ts';
import { isEmpty } from '../unchecked.ts';
import type { Unchecked } from '../unchecked.ts';
import type { PodContext } from './context.ts';
import { linuxSignals, windowsSignals } from './signals.ts';

const onlyOneText = 'may not specify more than 1 handler type';
const schemes = ['HTTP', 'HTTPS'];

type Handler = Unchecked<Probe & LifecycleHandler>;

/** Exactly one handler; `seconds` bounds the sleep of lifecycle handlers, probes have none. */
function checkHandler(
  errors: ErrorList,
  path: FieldPath,
  handler: Handler,
  seconds: number | undefined,
): void {
  let count = 0;
  if (handler.exec !== undefined) {
    count++;
    if (isEmpty(handler.exec.command)) errors.required(path, 'exec.command');
  }
  if (handler.httpGet !== undefined) {
    if (count++ > 0) errors.forbidden(path, 'httpGet', onlyOneText);
    else checkHttpGet(errors, path.child('httpGet'), handler.httpGet);
  }
  if (handler.tcpSocket !== undefined) {
    if (count++ > 0) errors.forbidden(path, 'tcpSocket', onlyOneText);
    else checkPortOrName(errors, path, 'tcpSocket.port', handler.tcpSocket.port);
  }
  if (handler.grpc !== undefined) {
    if (count++ > 0) errors.forbidden(path, 'grpc', onlyOneText);
    else checkPort(errors, path, 'grpc.port', handler.grpc.port);
  }
  if (handler.sleep !== undefined && seconds !== undefined) {
    if (count++ > 0) errors.forbidden(path, 'sleep', onlyOneText);
    else checkSleep(errors, path, handler.sleep.seconds ?? 0, seconds);
  }
  if (count === 0) errors.required(path, '', 'must specify a handler type');
}

function checkHttpGet(
  errors: ErrorList,
  path: FieldPath,
  action: NonNullable<Handler['httpGet']>,
): void {
  requireText(errors, path, 'path', action.path);
  checkPortOrName(errors, path, 'port', action.port);
  checkOneOf(errors, path, 'scheme', action.scheme ?? '', schemes);
  for (const { name = '' } of action.httpHeaders ?? []) {
    for (const detail of headerNameErrors(name)) {
      errors.invalid(path, 'httpHeaders', name, detail);
    }
  }
}

function checkSleep(errors: ErrorList, path: FieldPath, value: number, seconds: number): void {
  if (value >= 0 && value <= seconds) return;
  const detail = `must be non-negative and less than terminationGracePeriodSeconds (${seconds})`;
  errors.invalid(path, 'sleep', value, detail);
}

export type ProbeField = 'livenessProbe' | 'readinessProbe' | 'startupProbe';

export function checkProbe(
  errors: ErrorList,
  container: FieldPath,
  field: ProbeField,
  probe: Unchecked<Probe> | undefined,
): void {
  if (probe === undefined) return;
  const path = container.child(field);
  const { successThreshold, terminationGracePeriodSeconds } = probe;
  checkHandler(errors, path, probe, undefined);
  checkNotNegative(errors, path, 'initialDelaySeconds', probe.initialDelaySeconds);
  checkNotNegative(errors, path, 'timeoutSeconds', probe.timeoutSeconds);
  checkNotNegative(errors, path, 'periodSeconds', probe.periodSeconds);
  checkNotNegative(errors, path, 'successThreshold', successThreshold);
  checkNotNegative(errors, path, 'failureThreshold', probe.failureThreshold);
  if (terminationGracePeriodSeconds !== undefined && terminationGracePeriodSeconds <= 0) {
    const value = terminationGracePeriodSeconds;
    errors.invalid(path, 'terminationGracePeriodSeconds', value, 'must be greater than 0');
  }
  if (field !== 'readinessProbe') {
    if ((successThreshold ?? 0) !== 1) {
      errors.invalid(path, 'successThreshold', successThreshold ?? 0, 'must be 1');
    }
  } else if (terminationGracePeriodSeconds !== undefined) {
    const detail = 'must not be set for readinessProbes';
    const value = terminationGracePeriodSeconds;
    errors.invalid(path, 'terminationGracePeriodSeconds', value, detail);
  }
}

export function checkLifecycle(
  errors: ErrorList,
  path: FieldPath,
  lifecycle: Unchecked<Lifecycle>,
  { spec }: PodContext,
): void {
  const seconds = spec.terminationGracePeriodSeconds ?? 0;
  const { postStart, preStop, stopSignal } = lifecycle;
  if (postStart !== undefined) checkHandler(errors, path.child('postStart'), postStart, seconds);
  if (preStop !== undefined) checkHandler(errors, path.child('preStop'), preStop, seconds);
  if (stopSignal === undefined) return;
  const os = spec.os?.name ?? '';
  if (os === '') {
    const detail = 'may not be set for containers with empty `spec.os.name`';
    errors.forbidden(path, 'stopSignal', detail);
  } else {
    const signals = os === 'windows' ? windowsSignals : linuxSignals;
    checkOneOf(errors, path, 'stopSignal', stopSignal, signals);
  }
}
