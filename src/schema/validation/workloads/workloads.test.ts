import { test } from 'node:test';
import { validKind } from '../testing/check-kind.ts';

const notNegative = 'must be greater than or equal to 0';
const immutable = 'field is immutable';

test('Deployment', () => {
  const deployments = validKind('apps', 'deployments');
  deployments.create([
    [{ 'spec.replicas': -1 }, `spec.replicas: Invalid value: -1: ${notNegative}`],
    [{ 'spec.selector': undefined }, 'spec.selector: Required value'],
    [
      { 'spec.selector': {} },
      'spec.selector: Invalid value: {}: empty selector is invalid for deployment',
    ],
    [
      { 'spec.template.metadata.labels': { app: 'b' } },
      'spec.template.metadata.labels: Invalid value: {"app":"b"}: `selector` does not match template `labels`',
    ],
    [
      { 'spec.selector.matchExpressions': [{ key: 'app', operator: 'Like' }] },
      'spec.selector.matchExpressions[0].operator: Invalid value: "Like": not a valid selector operator',
    ],
    [
      { 'spec.selector.matchExpressions': [{ key: 'app', operator: 'In' }] },
      "spec.selector.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
    ],
    [
      { 'spec.template.spec.restartPolicy': 'Never' },
      'spec.template.spec.restartPolicy: Unsupported value: "Never": supported values: "Always"',
    ],
    [
      { 'spec.template.spec.activeDeadlineSeconds': 5 },
      'spec.template.spec.activeDeadlineSeconds: Forbidden: activeDeadlineSeconds in ReplicaSet is not Supported',
    ],
    [
      { 'spec.strategy': { type: 'Recreate', rollingUpdate: {} } },
      "spec.strategy.rollingUpdate: Forbidden: may not be specified when strategy `type` is 'Recreate'",
    ],
    [
      { 'spec.strategy': { rollingUpdate: { maxSurge: 0, maxUnavailable: '0%' } } },
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "0%": may not be 0 when `maxSurge` is 0',
    ],
    [
      { 'spec.strategy': { rollingUpdate: { maxSurge: 'x', maxUnavailable: '101%' } } },
      `spec.strategy.rollingUpdate.maxSurge: Invalid value: "x": a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')`,
      'spec.strategy.rollingUpdate.maxUnavailable: Invalid value: "101%": must not be greater than 100%',
    ],
    [
      { 'spec.strategy': { type: 'Blue' } },
      'spec.strategy: Unsupported value: {"type":"Blue"}: supported values: "Recreate", "RollingUpdate"',
    ],
    [
      { 'spec.progressDeadlineSeconds': 5, 'spec.minReadySeconds': 5 },
      'spec.progressDeadlineSeconds: Invalid value: 5: must be greater than minReadySeconds',
    ],
    [
      { 'spec.template.metadata.labels': { app: 'a', 'b c': 'd' } },
      `spec.template.labels: Invalid value: "b c": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')`,
    ],
  ]);
  deployments.update([
    [{}, { 'spec.replicas': 5 }],
    [
      {},
      {
        'spec.selector': { matchLabels: { app: 'a', b: 'c' } },
        'spec.template.metadata.labels.b': 'c',
      },
      `spec.selector: Invalid value: {"matchLabels":{"app":"a","b":"c"}}: ${immutable}`,
    ],
  ]);
  deployments.update(
    [
      [
        {},
        { 'status.availableReplicas': 2, 'status.replicas': 1 },
        'status.availableReplicas: Invalid value: 2: cannot be greater than status.replicas',
        'status.availableReplicas: Invalid value: 2: cannot be greater than readyReplicas',
      ],
      [
        { 'status.collisionCount': 2 },
        { 'status.collisionCount': 1 },
        'status.collisionCount: Invalid value: 1: cannot be decremented',
      ],
    ],
    'status',
  );
});

test('ReplicaSet, ReplicationController and ControllerRevision', () => {
  validKind('apps', 'replicasets').update([
    [
      {},
      { 'spec.selector.matchLabels': { app: 'a', x: 'y' }, 'spec.template.metadata.labels.x': 'y' },
      `spec.selector: Invalid value: {"matchLabels":{"app":"a","x":"y"}}: ${immutable}`,
    ],
  ]);
  validKind('', 'replicationcontrollers').create([
    [
      { 'spec.selector': {}, 'spec.template': undefined },
      'spec.selector: Required value',
      'spec.template: Required value',
    ],
    [
      { 'spec.selector': { app: 'b' } },
      'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`',
    ],
  ]);
  const revisions = validKind('apps', 'controllerrevisions');
  revisions.create([
    [{ revision: -1 }, `revision: Invalid value: -1: ${notNegative}`],
    [{ data: undefined }, 'data: Required value: data is mandatory'],
  ]);
  revisions.update([[{}, { data: { spec: 1 } }, `data: Invalid value: {"spec":1}: ${immutable}`]]);
});

test('StatefulSet', () => {
  const sets = validKind('apps', 'statefulsets');
  sets.create([
    [
      { 'spec.podManagementPolicy': 'Random' },
      `spec.podManagementPolicy: Invalid value: "Random": must be 'OrderedReady' or 'Parallel'`,
    ],
    [
      { 'spec.updateStrategy': { type: 'OnDelete', rollingUpdate: { partition: 1 } } },
      `spec.updateStrategy.rollingUpdate: Invalid value: {"partition":1}: only allowed for updateStrategy 'RollingUpdate'`,
    ],
    [
      { 'spec.persistentVolumeClaimRetentionPolicy.whenDeleted': 'Ask' },
      'spec.persistentVolumeClaimRetentionPolicy.whenDeleted: Unsupported value: "Ask": supported values: "Retain", "Delete"',
    ],
    [
      { 'spec.volumeClaimTemplates.0.spec.accessModes': [] },
      'spec.volumeClaimTemplates[0].spec.accessModes: Required value: at least 1 access mode is required',
    ],
    [
      { 'spec.template.spec.containers.0.volumeMounts.0.name': 'other' },
      'spec.template.spec.containers[0].volumeMounts[0].name: Not found: "other"',
    ],
  ]);
  sets.update([
    [{}, { 'spec.replicas': 3, 'spec.template.spec.containers.0.image': 'busybox:2' }],
    [
      {},
      { 'spec.serviceName': 'b' },
      "spec: Forbidden: updates to statefulset spec for fields other than 'replicas', 'ordinals', 'template', 'updateStrategy', 'revisionHistoryLimit', 'persistentVolumeClaimRetentionPolicy' and 'minReadySeconds' are forbidden",
    ],
  ]);
});

test('DaemonSet', () => {
  const at = 'spec.updateStrategy.rollingUpdate';
  validKind('apps', 'daemonsets').create([
    [
      { 'spec.updateStrategy': { rollingUpdate: { maxSurge: 1, maxUnavailable: 1 } } },
      `${at}.maxSurge: Invalid value: 1: may not be set when maxUnavailable is non-zero`,
    ],
    [
      { 'spec.updateStrategy': { rollingUpdate: { maxSurge: 0, maxUnavailable: 0 } } },
      `${at}.maxUnavailable: Required value: cannot be 0 when maxSurge is 0`,
    ],
    [
      { 'spec.updateStrategy': { type: 'Later' } },
      'spec.updateStrategy: Unsupported value: {"type":"Later"}: supported values: "RollingUpdate", "OnDelete"',
    ],
  ]);
});

test('Job', () => {
  const jobs = validKind('batch', 'jobs');
  jobs.create([
    [{ 'spec.parallelism': -1 }, `spec.parallelism: Invalid value: -1: ${notNegative}`],
    [
      { 'spec.completionMode': 'Indexed', 'spec.parallelism': 2 },
      'spec.completions: Required value: when completion mode is Indexed',
    ],
    [
      { 'spec.backoffLimitPerIndex': 1 },
      'spec.backoffLimitPerIndex: Invalid value: 1: requires indexed completion mode',
    ],
    [
      { 'spec.template.spec.restartPolicy': 'Always' },
      'spec.template.spec.restartPolicy: Required value: valid values: "OnFailure", "Never"',
    ],
    [
      { 'spec.managedBy': 'me' },
      'spec.managedBy: Invalid value: "me": must be a domain-prefixed path (such as "acme.io/foo")',
    ],
    [
      { 'spec.podFailurePolicy': { rules: [{ action: 'Ignore' }] } },
      'spec.podFailurePolicy.rules[0]: Invalid value: specifying one of OnExitCodes and OnPodConditions is required',
    ],
    [
      {
        'spec.podFailurePolicy': {
          rules: [{ action: 'FailJob', onExitCodes: { operator: 'In', values: [2, 0, 2] } }],
        },
      },
      'spec.podFailurePolicy.rules[0].onExitCodes.values[1]: Invalid value: 0: must not be 0 for the In operator',
      'spec.podFailurePolicy.rules[0].onExitCodes.values[2]: Duplicate value: 2',
      'spec.podFailurePolicy.rules[0].onExitCodes.values: Invalid value: [2,0,2]: must be ordered',
    ],
    [
      {
        'spec.completionMode': 'Indexed',
        'spec.completions': 3,
        'spec.successPolicy': { rules: [{ succeededIndexes: '0-5' }, {}] },
      },
      'spec.successPolicy.rules[0].succeededIndexes: Invalid value: "0-5": error parsing succeededIndexes: too large index: "5"',
      'spec.successPolicy.rules[1]: Required value: at least one of succeededCount or succeededIndexes must be specified',
    ],
  ]);
  jobs.update([
    [{}, { 'spec.completions': 7 }, `spec.completions: Invalid value: 7: ${immutable}`],
    [{}, { 'spec.parallelism': 7, 'spec.completions': 1 }],
    [
      { 'spec.suspend': true },
      { 'spec.template.spec.nodeSelector': { a: 'b' }, 'spec.suspend': false },
    ],
  ]);
  const isTrue = (type: string): object => ({ type, status: 'True' });
  jobs.update(
    [
      [
        {},
        { 'status.conditions': [isTrue('Complete')] },
        'status.completionTime: Required value: completionTime is required for Complete jobs',
        'status.conditions: Invalid value: cannot set Complete=True condition without the SuccessCriteriaMet=true condition',
        'status.startTime: Required value: startTime is required for finished job',
      ],
      [
        {
          'status.conditions': [isTrue('Failed'), isTrue('FailureTarget')],
          'status.startTime': '2026-01-01T00:00:00Z',
        },
        { 'status.conditions': [], 'status.failed': 0 },
        'status.conditions: Invalid value: cannot disable the terminal Failed=True condition',
        'status.conditions: Invalid value: cannot disable the terminal FailureTarget=True condition',
      ],
      [
        {},
        { 'status.ready': 2, 'status.active': 1 },
        'status.ready: Invalid value: 2: cannot set more ready pods than active',
      ],
    ],
    'status',
  );
});

test('CronJob', () => {
  const jobs = validKind('batch', 'cronjobs');
  jobs.create([
    [{ 'spec.schedule': '' }, 'spec.schedule: Required value'],
    [
      { 'spec.schedule': '* * * *' },
      'spec.schedule: Invalid value: "* * * *": expected exactly 5 fields, found 4: [* * * *]',
    ],
    [
      { 'spec.schedule': 'TZ=UTC 0 * * * *' },
      'spec.schedule: Invalid value: "TZ=UTC 0 * * * *": cannot use TZ or CRON_TZ in schedule, use timeZone field instead',
    ],
    [{ 'spec.timeZone': 'Europe/Berlin' }],
    [
      { 'spec.timeZone': 'Mars/Base' },
      'spec.timeZone: Invalid value: "Mars/Base": unknown time zone Mars/Base',
    ],
    [
      { 'spec.timeZone': 'local' },
      'spec.timeZone: Invalid value: "local": timeZone must be an explicit time zone as defined in https://www.iana.org/time-zones',
    ],
    [
      { 'spec.concurrencyPolicy': 'Queue' },
      'spec.concurrencyPolicy: Unsupported value: "Queue": supported values: "Allow", "Forbid", "Replace"',
    ],
    [
      { 'metadata.name': 'a'.repeat(53) },
      `metadata.name: Invalid value: "${'a'.repeat(53)}": must be no more than 52 characters`,
    ],
    [
      { 'spec.jobTemplate.spec.manualSelector': true },
      'spec.jobTemplate.spec.manualSelector: Unsupported value: true: supported values: "nil", "false"',
    ],
  ]);
});
