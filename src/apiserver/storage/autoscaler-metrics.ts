/** What both directions read and write; neither form is checked yet, so everything may be missing. */
type Fields = Record<string, unknown>;

type Rename = (source: Fields) => Fields;

/** Sources of metrics that keep their name, by the field of the metric. */
const kinds = ['object', 'pods', 'resource', 'containerResource', 'external'] as const;

/**
 * A metric of v2 as v1 writes it into annotations: flat, with the names that v1 has for it. `word`
 * is `target` for what is wanted and `current` for what was measured.
 */
export function metricToV1(metric: unknown, word: 'target' | 'current'): Fields {
  return renamed(metric, {
    object: (source) => ({
      target: source['describedObject'],
      ...namedMetric(source, 'selector'),
      [`${word}Value`]: valueIn(source, word, 'value') ?? '0',
      averageValue: valueIn(source, word, 'averageValue'),
    }),
    pods: (source) => ({
      ...namedMetric(source, 'selector'),
      [`${word}AverageValue`]: valueIn(source, word, 'averageValue') ?? '0',
    }),
    resource: (source) => flatResource(source, word),
    containerResource: (source) => ({
      ...flatResource(source, word),
      container: source['container'],
    }),
    external: (source) => ({
      ...namedMetric(source, 'metricSelector'),
      [`${word}Value`]: valueIn(source, word, 'value') ?? (word === 'current' ? '0' : undefined),
      [`${word}AverageValue`]: valueIn(source, word, 'averageValue'),
    }),
  });
}

/** The way back. */
export function metricFromV1(metric: unknown, word: 'target' | 'current'): Fields {
  const values = (value: unknown, averageValue: unknown, isAverage: boolean): Fields => ({
    [word]: {
      ...(word === 'target' ? { type: isAverage ? 'AverageValue' : 'Value' } : {}),
      value,
      averageValue,
    },
  });
  return renamed(metric, {
    object: (source) => ({
      describedObject: source['target'],
      metric: { name: source['metricName'], selector: source['selector'] },
      ...values(
        source[`${word}Value`],
        source['averageValue'],
        source['averageValue'] !== undefined,
      ),
    }),
    pods: (source) => ({
      metric: { name: source['metricName'], selector: source['selector'] },
      ...values(undefined, source[`${word}AverageValue`], true),
    }),
    resource: (source) => deepResource(source, word),
    containerResource: (source) => ({
      ...deepResource(source, word),
      container: source['container'],
    }),
    external: (source) => ({
      metric: { name: source['metricName'], selector: source['metricSelector'] },
      ...values(
        source[`${word}Value`],
        source[`${word}AverageValue`],
        source[`${word}Value`] === undefined,
      ),
    }),
  });
}

function renamed(
  metric: unknown,
  renames: Readonly<Record<(typeof kinds)[number], Rename>>,
): Fields {
  const source = fieldsOf(metric);
  const made: Fields = { type: source['type'] };
  for (const kind of kinds) {
    if (source[kind] !== undefined) made[kind] = renames[kind](fieldsOf(source[kind]));
  }
  return withoutMissing(made);
}

function namedMetric(source: Fields, selector: string): Fields {
  const metric = fieldsOf(source['metric']);
  return { metricName: metric['name'], [selector]: metric['selector'] };
}

function valueIn(source: Fields, word: string, field: string): unknown {
  return fieldsOf(source[word])[field];
}

function flatResource(source: Fields, word: 'target' | 'current'): Fields {
  const average = valueIn(source, word, 'averageValue');
  return {
    name: source['name'],
    [`${word}AverageUtilization`]: valueIn(source, word, 'averageUtilization'),
    [`${word}AverageValue`]: average ?? (word === 'current' ? '0' : undefined),
  };
}

function deepResource(source: Fields, word: 'target' | 'current'): Fields {
  const averageUtilization = source[`${word}AverageUtilization`];
  const type = averageUtilization === undefined ? 'AverageValue' : 'Utilization';
  const averageValue = source[`${word}AverageValue`];
  const target = word === 'target' ? { type } : {};
  return { name: source['name'], [word]: { ...target, averageUtilization, averageValue } };
}

/** The behavior as v1 writes it: with the names of the fields in Go, and null where nothing is. */
export function behaviorToV1(behavior: unknown): unknown {
  const { scaleUp, scaleDown } = fieldsOf(behavior);
  return { ScaleUp: rulesToV1(scaleUp), ScaleDown: rulesToV1(scaleDown) };
}

function rulesToV1(rules: unknown): unknown {
  if (rules === undefined || rules === null) return null;
  const source = fieldsOf(rules);
  const policies = source['policies'];
  return {
    StabilizationWindowSeconds: source['stabilizationWindowSeconds'] ?? null,
    SelectPolicy: source['selectPolicy'] ?? null,
    Policies: Array.isArray(policies)
      ? policies.map((policy) => {
          const { type, value, periodSeconds } = fieldsOf(policy);
          return { Type: type, Value: value, PeriodSeconds: periodSeconds };
        })
      : null,
    Tolerance: source['tolerance'] ?? null,
  };
}

/** The way back; fields are known by either spelling, as Go reads them. */
export function behaviorFromV1(behavior: unknown): unknown {
  if (Array.isArray(behavior)) return behavior.map(behaviorFromV1);
  if (typeof behavior !== 'object' || behavior === null) return behavior;
  const entries = Object.entries(behavior).filter(([, value]) => value !== null);
  return Object.fromEntries(
    entries.map(([name, value]) => [
      name.slice(0, 1).toLowerCase() + name.slice(1),
      behaviorFromV1(value),
    ]),
  );
}

function fieldsOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

function withoutMissing<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).filter(([, inner]) => inner !== undefined);
  return Object.fromEntries(entries.map(([key, inner]) => [key, withoutMissing(inner)])) as T;
}
