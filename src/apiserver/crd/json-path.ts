/** What a step of a path does to each value found so far. */
type Step = (value: unknown) => readonly unknown[];

const nothing: readonly unknown[] = [];

/**
 * Compiles the simple JSONPath of a printer column: fields (also as ['name'] and with escaped
 * dots), indexes, ranges, wildcards, unions of indexes, filters by equality and ..name. Undefined
 * for a path that cannot be read, as upstream then prints no columns at all.
 */
export function compileJsonPath(path: string): ((root: unknown) => readonly unknown[]) | undefined {
  const steps: Step[] = [];
  let rest = path.startsWith('$') ? path.slice(1) : path;
  while (rest !== '') {
    const read = readStep(rest);
    if (read === undefined) return undefined;
    steps.push(read.step);
    rest = rest.slice(read.length);
  }
  return (root) => {
    let values: readonly unknown[] = [root];
    for (const step of steps) values = values.flatMap(step);
    return values;
  };
}

interface ReadStep {
  readonly step: Step;
  readonly length: number;
}

function readStep(text: string): ReadStep | undefined {
  const deep = /^\.\.((?:\\.|[^.[\]\s])+)/.exec(text);
  if (deep !== null) return { step: descendants(unescape(deep[1] ?? '')), length: deep[0].length };
  const name = /^\.((?:\\.|[^.[\]])+)/.exec(text);
  if (name !== null) {
    const field = name[1] ?? '';
    return { step: field === '*' ? children : fieldStep(unescape(field)), length: name[0].length };
  }
  if (text === '.') return { step: (value) => [value], length: 1 };
  if (text.startsWith('.[')) {
    const inner = readStep(text.slice(1));
    return inner === undefined ? undefined : { ...inner, length: inner.length + 1 };
  }
  return text.startsWith('[') ? readBracket(text) : undefined;
}

function readBracket(text: string): ReadStep | undefined {
  const quoted = /^\[\s*(?:'((?:\\.|[^'])*)'|"((?:\\.|[^"])*)")\s*\]/.exec(text);
  if (quoted !== null) {
    return { step: fieldStep(unescape(quoted[1] ?? quoted[2] ?? '')), length: quoted[0].length };
  }
  const wildcard = /^\[\s*\*\s*\]/.exec(text);
  if (wildcard !== null) return { step: children, length: wildcard[0].length };
  const indexes = /^\[\s*(-?\d+(?:\s*,\s*-?\d+)*)\s*\]/.exec(text);
  if (indexes !== null) {
    const wanted = (indexes[1] ?? '').split(',').map(Number);
    const step: Step = (value) =>
      Array.isArray(value) ? wanted.flatMap((index) => itemAt(value, index)) : nothing;
    return { step, length: indexes[0].length };
  }
  const range = /^\[\s*(-?\d*)\s*:\s*(-?\d*)\s*(?::\s*(\d+)\s*)?\]/.exec(text);
  if (range !== null) return { step: rangeStep(range), length: range[0].length };
  return readFilter(text);
}

function readFilter(text: string): ReadStep | undefined {
  const filter =
    /^\[\?\(\s*@((?:\.(?:\\.|[\w-])+|\['[^']*'\])*)\s*(?:(==|!=|<=|>=|<|>)\s*('(?:\\.|[^'])*'|"(?:\\.|[^"])*"|[^\s)]+)\s*)?\)\]/.exec(
      text,
    );
  if (filter === null) return undefined;
  const find = compileJsonPath(filter[1] ?? '');
  if (find === undefined) return undefined;
  const operator = filter[2];
  const wanted = operator === undefined ? undefined : literal(filter[3] ?? '');
  const holds = (item: unknown): boolean => {
    const values = find(item);
    if (operator === undefined) return values.length > 0;
    return values.some((value) => compare(value, operator, wanted));
  };
  const step: Step = (value) => (Array.isArray(value) ? value.filter(holds) : nothing);
  return { step, length: filter[0].length };
}

function literal(text: string): unknown {
  if (/^['"]/.test(text)) return unescape(text.slice(1, -1));
  if (text === 'true' || text === 'false') return text === 'true';
  const number = Number(text);
  return Number.isNaN(number) ? text : number;
}

function compare(value: unknown, operator: string, wanted: unknown): boolean {
  if (operator === '==') return value === wanted;
  if (operator === '!=') return value !== wanted;
  if (typeof value !== typeof wanted) return false;
  const [left, right] = [value as number, wanted as number];
  if (operator === '<') return left < right;
  if (operator === '<=') return left <= right;
  return operator === '>' ? left > right : left >= right;
}

function unescape(text: string): string {
  return text.replace(/\\(.)/g, '$1');
}

function fieldStep(name: string): Step {
  return (value) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return nothing;
    const found = (value as Record<string, unknown>)[name];
    return found === undefined ? nothing : [found];
  };
}

function children(value: unknown): readonly unknown[] {
  if (Array.isArray(value)) return value;
  return typeof value === 'object' && value !== null ? Object.values(value) : nothing;
}

function descendants(name: string): Step {
  const visit: Step = (value) => [
    ...fieldStep(name)(value),
    ...children(value).flatMap((child) => visit(child)),
  ];
  return visit;
}

function itemAt(list: readonly unknown[], index: number): readonly unknown[] {
  const at = index < 0 ? list.length + index : index;
  return at in list ? [list[at]] : nothing;
}

function rangeStep([, from = '', to = '', stride]: readonly (string | undefined)[]): Step {
  return (value) => {
    if (!Array.isArray(value)) return nothing;
    const start = from === '' ? 0 : Number(from);
    const end = to === '' ? value.length : Number(to);
    const step = stride === undefined ? 1 : Math.max(1, Number(stride));
    return value.slice(start, end).filter((_item, index) => index % step === 0);
  };
}
