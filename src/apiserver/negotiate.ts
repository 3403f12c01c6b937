import { protobufMediaType } from '#schema/protobuf/mod.ts';
import { notAcceptable } from './api-errors.ts';

/** How an answer is to look. */
export interface AnswerForm {
  readonly media: 'json' | 'yaml' | 'protobuf';
  /** Another shape than the object's own. */
  readonly as: 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList' | undefined;
  /** `pretty=1` beside the media type. */
  readonly isPretty?: boolean;
}

const jsonForm: AnswerForm = { media: 'json', as: undefined };

/** Media types that this server can write, in the order of upstream's error text. */
export const acceptedTypes: readonly string[] = [
  'application/json',
  'application/yaml',
  protobufMediaType,
];

/** Answers to `Accept` headers seen; clients send few different ones. */
const known = new Map<string, readonly AnswerForm[]>();
const maxKnown = 256;

/**
 * The first form of an Accept header that can be served; protobuf only for clients that take
 * the same shape in nothing else, because JSON is what is at hand. `shapes` are the transformations
 * that the request allows. Throws NotAcceptable when none fits.
 */
export function negotiateForm(accept: string | undefined, shapes: readonly string[]): AnswerForm {
  if (accept === undefined || accept === '' || accept === '*/*' || accept === 'application/json') {
    return jsonForm;
  }
  let forms = known.get(accept);
  if (forms === undefined) {
    forms = parseAccept(accept);
    if (known.size >= maxKnown) known.clear();
    known.set(accept, forms);
  }
  const form = forms.find(({ as }) => as === undefined || shapes.includes(as));
  if (form === undefined) throw notAcceptable(acceptedTypes);
  return form;
}

const streamTypes = ['application/json', protobufMediaType].map((type) => `${type};stream=watch`);

/** As negotiateForm, for a watch: YAML has no form for streams. */
export function negotiateStream(accept: string | undefined, shapes: readonly string[]): AnswerForm {
  const form = negotiateForm(accept, shapes);
  if (form.media === 'yaml') throw notAcceptable(streamTypes);
  return form;
}

function parseAccept(accept: string): AnswerForm[] {
  const clauses = accept
    .split(',')
    .map((clause) => {
      const [type = '', ...parameters] = clause.split(';').map((part) => part.trim());
      const values = new Map(
        parameters.map((parameter) => {
          const equals = parameter.indexOf('=');
          return [parameter.slice(0, equals), parameter.slice(equals + 1)] as const;
        }),
      );
      return { type: type.toLowerCase(), values, quality: Number(values.get('q') ?? '1') };
    })
    .filter((clause) => clause.quality > 0);
  clauses.sort((a, b) => b.quality - a.quality);
  const forms = clauses.flatMap(({ type, values }): AnswerForm[] => {
    const media = mediaOf(type);
    if (media === undefined) return [];
    const as = values.get('as');
    const pretty = values.get('pretty') === '1' ? { isPretty: true } : {};
    if (as === undefined) return [{ media, as: undefined, ...pretty }];
    if (values.get('g') !== undefined && values.get('g') !== 'meta.k8s.io') return [];
    if (!isShape(as) || !['v1', 'v1beta1', undefined].includes(values.get('v'))) return [];
    return media === 'protobuf' && as === 'Table' ? [] : [{ media, as, ...pretty }];
  });
  // the shape that comes first is what the client wants; only among its forms is there a choice
  return forms.map((form) => {
    if (form.media !== 'protobuf') return form;
    return forms.find(({ media, as }) => media !== 'protobuf' && as === form.as) ?? form;
  });
}

function isShape(
  as: string,
): as is 'Table' | 'PartialObjectMetadata' | 'PartialObjectMetadataList' {
  return as === 'Table' || as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList';
}

function mediaOf(type: string): AnswerForm['media'] | undefined {
  if (type === 'application/json' || type === '*/*' || type === 'application/*') return 'json';
  if (type === 'application/yaml') return 'yaml';
  if (type === protobufMediaType) return 'protobuf';
  return undefined;
}

/** User agents that get indented answers without asking: people read them. */
const prettyAgents = ['curl', 'Wget', 'Mozilla/5.0'];
/** What Go reads as true. */
const trueWords: ReadonlySet<string> = new Set(['1', 't', 'T', 'TRUE', 'true', 'True']);

/** By the media type, the query or who asks, in this order. */
export function wantsPretty(
  query: string,
  userAgent: string,
  form?: Pick<AnswerForm, 'isPretty'>,
): boolean {
  if (form?.isPretty === true) return true;
  if (query.includes('pretty=')) {
    const value = new URLSearchParams(query).get('pretty') ?? '';
    if (value !== '') return trueWords.has(value);
  }
  return prettyAgents.some((agent) => userAgent.startsWith(agent));
}
