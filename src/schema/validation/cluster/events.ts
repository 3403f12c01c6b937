import type { CoreV1Event, EventsV1Event, ObjectReference } from '../../generated/types.ts';
import { labelKeyErrors } from '../../selectors/label-syntax.ts';
import { checkFormat, checkImmutable, requireFormat, requireText } from '../checks.ts';
import type { ErrorList } from '../error-list.ts';
import { rootPath } from '../field-path.ts';
import { dns1123SubdomainErrors } from '../formats/names.ts';
import type { KindRules } from '../kind-rules.ts';
import type { Unchecked } from '../unchecked.ts';

const maxCharacters = 128;
const maxNoteCharacters = 1024;

/** The part that both forms of events share. */
interface EventParts {
  readonly namespace: string;
  readonly object: Unchecked<ObjectReference>;
  readonly eventTime: string | undefined;
  readonly controllerField: 'reportingComponent' | 'reportingController';
  readonly controller: string | undefined;
  readonly instance: string | undefined;
  readonly action: string | undefined;
  readonly reason: string | undefined;
  readonly message: string | undefined;
}

export const coreEventRules: KindRules<CoreV1Event> = {
  check(errors, event) {
    checkEvent(errors, {
      namespace: event.metadata?.namespace ?? '',
      object: event.involvedObject ?? {},
      eventTime: event.eventTime,
      controllerField: 'reportingComponent',
      controller: event.reportingComponent,
      instance: event.reportingInstance,
      action: event.action,
      reason: event.reason,
      message: event.message,
    });
  },
};

export const eventRules: KindRules<EventsV1Event> = {
  name: dns1123SubdomainErrors,
  check(errors, event) {
    checkEvent(errors, {
      namespace: event.metadata?.namespace ?? '',
      object: event.regarding ?? {},
      eventTime: event.eventTime,
      controllerField: 'reportingController',
      controller: event.reportingController,
      instance: event.reportingInstance,
      action: event.action,
      reason: event.reason,
      message: event.note,
    });
    checkSeries(errors, event);
  },
  create(errors, event) {
    requireText(errors, rootPath, 'eventTime', event.eventTime);
    const { type = '' } = event;
    if (type !== 'Normal' && type !== 'Warning') {
      errors.invalid(rootPath, 'type', '', `has invalid value: ${type}`);
    }
    const { deprecatedSource: source } = event;
    const hasSource = (source?.component ?? '') !== '' || (source?.host ?? '') !== '';
    const old: ReadonlyArray<readonly [field: string, isSet: boolean]> = [
      ['firstTimestamp', event.deprecatedFirstTimestamp !== undefined],
      ['lastTimestamp', event.deprecatedLastTimestamp !== undefined],
      ['count', (event.deprecatedCount ?? 0) !== 0],
      ['source', hasSource],
    ];
    for (const [field, isSet] of old) {
      if (isSet) errors.invalid(rootPath, field, '', 'needs to be unset');
    }
  },
  update(errors, event, old) {
    for (const [field, reported] of fixedFields) {
      checkImmutable(errors, rootPath, reported, event[field], old[field]);
    }
  },
};

const fixedFields = [
  ['regarding', 'involvedObject'],
  ['reason', 'reason'],
  ['note', 'message'],
  ['deprecatedSource', 'source'],
  ['deprecatedFirstTimestamp', 'firstTimestamp'],
  ['deprecatedLastTimestamp', 'lastTimestamp'],
  ['deprecatedCount', 'count'],
  ['type', 'type'],
  ['eventTime', 'eventTime'],
  ['action', 'action'],
  ['related', 'related'],
  ['reportingController', 'reportingController'],
  ['reportingInstance', 'reportingInstance'],
] as const;

function checkSeries(errors: ErrorList, { series }: Unchecked<EventsV1Event>): void {
  if (series === undefined) return;
  const path = rootPath.child('series');
  if ((series.count ?? 0) < 2) errors.invalid(path, 'count', '', 'should be at least 2');
  requireText(errors, path, 'lastObservedTime', series.lastObservedTime);
}

/** Events of the old sort, without eventTime, have little to obey. */
function checkEvent(errors: ErrorList, event: EventParts): void {
  checkPlace(errors, event);
  checkFormat(errors, rootPath, 'namespace', event.namespace, dns1123SubdomainErrors);
  if (event.eventTime === undefined) return;
  requireFormat(errors, rootPath, event.controllerField, event.controller, labelKeyErrors);
  for (const [field, value] of [
    ['reportingInstance', event.instance],
    ['action', event.action],
    ['reason', event.reason],
  ] as const) {
    if (!requireText(errors, rootPath, field, value)) continue;
    checkLength(errors, field, value, maxCharacters);
  }
  checkLength(errors, 'message', event.message ?? '', maxNoteCharacters);
}

function checkLength(errors: ErrorList, field: string, value: string, max: number): void {
  if (value.length <= max) return;
  errors.invalid(rootPath, field, '', `can have at most ${max} characters`);
}

/** An event lies in the namespace of what it is about, else in that of the system's. */
function checkPlace(errors: ErrorList, { namespace, object, eventTime }: EventParts): void {
  const { namespace: about = '' } = object;
  const homes = eventTime === undefined ? ['', 'default'] : ['default', 'kube-system'];
  if (about === '' ? homes.includes(namespace) : about === namespace) return;
  if (about !== '' && eventTime !== undefined) return;
  const detail = 'does not match event.namespace';
  errors.invalid(rootPath, 'involvedObject.namespace', about, detail);
}
