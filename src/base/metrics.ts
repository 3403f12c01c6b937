/** Values of one combination of labels; hold on to it where it is counted often. */
export interface Counter {
  value: number;
}

export interface HistogramSeries {
  observe(value: number): void;
  readonly count: number;
}

export type Stability = 'STABLE' | 'BETA' | 'ALPHA';

export interface MetricOptions {
  readonly name: string;
  readonly help: string;
  readonly stability: Stability;
  /** In alphabetical order, as they are printed. */
  readonly labels?: readonly string[];
}

interface Family {
  readonly options: MetricOptions;
  readonly type: 'counter' | 'gauge' | 'histogram';
  print(lines: string[]): void;
}

/** A metric of numbers that go up (counter) or up and down (gauge), a number for each label set. */
export class NumberMetric implements Family {
  readonly options: MetricOptions;
  readonly type: 'counter' | 'gauge';
  readonly #series = new Map<string, { labels: string; counter: Counter }>();

  constructor(type: 'counter' | 'gauge', options: MetricOptions) {
    this.type = type;
    this.options = options;
  }

  /** The number of these label values, in the order of the labels; made at first use. */
  with(...values: readonly string[]): Counter {
    const key = values.join('\u0000');
    let found = this.#series.get(key);
    if (found === undefined) {
      found = { labels: labelText(this.options.labels ?? [], values), counter: { value: 0 } };
      this.#series.set(key, found);
    }
    return found.counter;
  }

  /** Forgets all label sets: for numbers that are filled in at each scrape. */
  clear(): void {
    this.#series.clear();
  }

  print(lines: string[]): void {
    const { name } = this.options;
    for (const { labels, counter } of this.#series.values()) {
      lines.push(`${name}${labels === '' ? '' : `{${labels}}`} ${numberText(counter.value)}`);
    }
  }
}

class Series implements HistogramSeries {
  readonly labels: string;
  readonly #bounds: readonly number[];
  readonly #counts: Float64Array;
  #sum = 0;
  count = 0;

  constructor(labels: string, bounds: readonly number[]) {
    this.labels = labels;
    this.#bounds = bounds;
    this.#counts = new Float64Array(bounds.length);
  }

  observe(value: number): void {
    this.count++;
    this.#sum += value;
    const bounds = this.#bounds;
    for (let i = 0; i < bounds.length; i++) {
      if (value <= (bounds[i] as number)) {
        this.#counts[i] = (this.#counts[i] as number) + 1;
        return;
      }
    }
  }

  print(name: string, lines: string[]): void {
    const { labels } = this;
    const start = labels === '' ? '' : `${labels},`;
    let seen = 0;
    this.#bounds.forEach((bound, i) => {
      seen += this.#counts[i] as number;
      lines.push(`${name}_bucket{${start}le="${numberText(bound)}"} ${seen}`);
    });
    const end = labels === '' ? '' : `{${labels}}`;
    lines.push(`${name}_bucket{${start}le="+Inf"} ${this.count}`);
    lines.push(`${name}_sum${end} ${numberText(this.#sum)}`, `${name}_count${end} ${this.count}`);
  }
}

/** A metric that counts values in buckets, for each label set. */
export class HistogramMetric implements Family {
  readonly options: MetricOptions;
  readonly type = 'histogram';
  readonly #bounds: readonly number[];
  readonly #series = new Map<string, Series>();

  constructor(options: MetricOptions, bounds: readonly number[]) {
    this.options = options;
    this.#bounds = bounds;
  }

  with(...values: readonly string[]): HistogramSeries {
    const key = values.join('\u0000');
    let found = this.#series.get(key);
    if (found === undefined) {
      found = new Series(labelText(this.options.labels ?? [], values), this.#bounds);
      this.#series.set(key, found);
    }
    return found;
  }

  print(lines: string[]): void {
    for (const series of this.#series.values()) series.print(this.options.name, lines);
  }
}

/**
 * Named metrics of one process part, in the text form of Prometheus. Label values must come from
 * sets with a bound: nothing is ever forgotten, except by `clear`. Making the same name twice
 * gives the same metric.
 */
export class MetricRegistry {
  readonly #families = new Map<string, Family>();
  readonly #collectors: (() => void | Promise<void>)[] = [];

  counter(options: MetricOptions): NumberMetric {
    return this.#add(options, () => new NumberMetric('counter', options)) as NumberMetric;
  }

  gauge(options: MetricOptions): NumberMetric {
    return this.#add(options, () => new NumberMetric('gauge', options)) as NumberMetric;
  }

  histogram(options: MetricOptions & { buckets: readonly number[] }): HistogramMetric {
    const make = (): Family => new HistogramMetric(options, options.buckets);
    return this.#add(options, make) as HistogramMetric;
  }

  /** Called before each scrape, to fill in what is not counted as it happens. */
  onCollect(collect: () => void | Promise<void>): void {
    this.#collectors.push(collect);
  }

  /** How many metrics there are of each stability. */
  countByStability(): Map<Stability, number> {
    const counts = new Map<Stability, number>();
    for (const { options } of this.#families.values()) {
      counts.set(options.stability, (counts.get(options.stability) ?? 0) + 1);
    }
    return counts;
  }

  /** All metrics but those of the names given, sorted by name; ones without a value are left out. */
  async render(without: ReadonlySet<string> = new Set()): Promise<string> {
    for (const collect of this.#collectors) await collect();
    const text: string[] = [];
    const names = [...this.#families.keys()].sort();
    for (const name of names) {
      const family = this.#families.get(name) as Family;
      if (without.has(name)) continue;
      const lines: string[] = [];
      family.print(lines);
      if (lines.length === 0) continue;
      const { help, stability } = family.options;
      text.push(`# HELP ${name} [${stability}] ${help}`, `# TYPE ${name} ${family.type}`);
      for (const line of lines) text.push(line);
    }
    return text.length === 0 ? '' : `${text.join('\n')}\n`;
  }

  #add(options: MetricOptions, make: () => Family): Family {
    const known = this.#families.get(options.name);
    if (known !== undefined) return known;
    const family = make();
    this.#families.set(options.name, family);
    return family;
  }
}

function labelText(names: readonly string[], values: readonly string[]): string {
  return names.map((name, i) => `${name}="${escapeLabel(values[i] ?? '')}"`).join(',');
}

function escapeLabel(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"');
}

/** As Go prints floats in this format: exponents from 1e21 on and below 1e-4 with two digits. */
function numberText(value: number): string {
  if (value === Infinity) return '+Inf';
  if (value === -Infinity) return '-Inf';
  if (value !== 0 && Math.abs(value) < 1e-4) {
    return value.toExponential().replace(/e-(\d)$/, 'e-0$1');
  }
  return String(value);
}
