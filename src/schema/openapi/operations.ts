import table from '../generated/resources.json' with { type: 'json' };
import type { ResourceInfo, SubresourceInfo } from '../resource-info.ts';
import { typeTable } from '../type-table/type-table.ts';
import type { GroupVersionKindExtension } from './json-schema.ts';
import { metaPackage, typeNameOf } from './type-schema.ts';

/** One operation of a path, before it is written in either version of the documents. */
export interface OperationPlan {
  readonly method: 'get' | 'put' | 'post' | 'delete' | 'options' | 'head' | 'patch';
  /** What x-kubernetes-action says. */
  readonly action: string;
  readonly operationId: string;
  readonly tag: string;
  readonly kind: GroupVersionKindExtension;
  /** Type of the body, when there is one. */
  readonly body: string | undefined;
  readonly isBodyRequired: boolean;
  /** Type of the answer by status code; undefined for plain text. */
  readonly answers: ReadonlyArray<readonly [code: string, typeName: string | undefined]>;
  readonly query: ReadonlyArray<readonly [name: string, type: string]>;
  readonly consumes: readonly string[];
  readonly produces: readonly string[];
}

export interface PathPlan {
  readonly path: string;
  readonly parameters: readonly string[];
  readonly operations: readonly OperationPlan[];
}

const plainProduces = [
  'application/json',
  'application/yaml',
  'application/vnd.kubernetes.protobuf',
];
const listProduces = [
  ...plainProduces,
  'application/json;stream=watch',
  'application/vnd.kubernetes.protobuf;stream=watch',
];
const patchConsumes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
  'application/apply-patch+yaml',
];
/** Custom resources have no protobuf form and no strategic merge patch: kubectl goes by this. */
const customProduces = plainProduces.slice(0, 2);
const customPatchConsumes = patchConsumes.filter((type) => !type.includes('strategic'));

interface Verb {
  method: OperationPlan['method'];
  action: string;
  /** First word of the operation's id. */
  word: string;
  query: string;
  codes: readonly string[];
}

const verbs: Readonly<Record<string, Verb>> = {
  list: { method: 'get', action: 'list', word: 'list', query: 'list/watch', codes: ['200'] },
  get: { method: 'get', action: 'get', word: 'read', query: 'get', codes: ['200'] },
  create: {
    method: 'post',
    action: 'post',
    word: 'create',
    query: 'create',
    codes: ['200', '201', '202'],
  },
  update: { method: 'put', action: 'put', word: 'replace', query: 'update', codes: ['200', '201'] },
  patch: { method: 'patch', action: 'patch', word: 'patch', query: 'patch', codes: ['200', '201'] },
  delete: {
    method: 'delete',
    action: 'delete',
    word: 'delete',
    query: 'delete',
    codes: ['200', '202'],
  },
  deletecollection: {
    method: 'delete',
    action: 'deletecollection',
    word: 'deleteCollection',
    query: 'deletecollection',
    codes: ['200'],
  },
};

const queryByVerb: Readonly<Record<string, Readonly<Record<string, string | undefined>>>> =
  table.queryByVerb;

function queryOf(verb: string): Array<readonly [string, string]> {
  return Object.entries(queryByVerb[verb] ?? {}).map(([name, type = 'string']) => [name, type]);
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** RbacAuthorization of rbac.authorization.k8s.io, Core of the core group. */
function groupWord(group: string): string {
  if (group === '') return 'Core';
  const parts = group.replace(/\.k8s\.io$/, '').split(/[.-]/);
  return parts.map(capital).join('');
}

function tagOf({ group, version }: ResourceInfo): string {
  const word = groupWord(group);
  return `${word.charAt(0).toLowerCase()}${word.slice(1)}_${version}`;
}

/** The type names of a custom resource's list follow from that of its kind. */
export function listTypeNameOf(info: ResourceInfo): string {
  const end = info.typeName.lastIndexOf('.');
  return `${info.typeName.slice(0, end)}.${info.listKind}`;
}

function answerType(
  verb: string,
  info: ResourceInfo,
  typeName: string | undefined,
): string | undefined {
  if (verb === 'list') return listTypeNameOf(info);
  if (verb === 'delete' || verb === 'deletecollection') return `${metaPackage}.Status`;
  return typeName;
}

function bodyType(verb: string, typeName: string | undefined): string | undefined {
  if (verb === 'create' || verb === 'update') return typeName;
  if (verb === 'patch') return `${metaPackage}.Patch`;
  return verb.startsWith('delete') ? `${metaPackage}.DeleteOptions` : undefined;
}

interface Target {
  info: ResourceInfo;
  typeName: string | undefined;
  kind: GroupVersionKindExtension;
  /** What follows the verb in the operation's id. */
  noun: string;
}

function operation(verb: string, target: Target): OperationPlan | undefined {
  const facts = verbs[verb];
  if (facts === undefined) return undefined;
  const { info, typeName, kind, noun } = target;
  const answer = answerType(verb, info, typeName);
  const isCustom = typeTable.type(info.typeName) === undefined;
  const patchTypes = isCustom ? customPatchConsumes : patchConsumes;
  return {
    method: facts.method,
    action: facts.action,
    operationId: `${facts.word}${noun}`,
    tag: tagOf(info),
    kind,
    body: bodyType(verb, typeName),
    isBodyRequired: !verb.startsWith('delete'),
    answers: facts.codes.map((code) => [code, answer]),
    query: queryOf(facts.query),
    consumes: verb === 'patch' ? patchTypes : ['*/*'],
    produces: isCustom ? customProduces : verb === 'list' ? listProduces : plainProduces,
  };
}

function isPlan(plan: OperationPlan | undefined): plan is OperationPlan {
  return plan !== undefined;
}

function operations(
  names: readonly string[],
  given: readonly string[],
  target: Target,
): OperationPlan[] {
  return names
    .filter((name) => given.includes(name))
    .map((name) => operation(name, target))
    .filter(isPlan);
}

/** The paths of a resource and its subresources, all-namespace list included. */
export function pathsOf(info: ResourceInfo): PathPlan[] {
  const { group, version, kind, namespaced, resource } = info;
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  const scope = namespaced ? '/namespaces/{namespace}' : '';
  const parameters = namespaced ? ['namespace'] : [];
  const target: Target = {
    info,
    typeName: info.typeName,
    kind: { group, kind, version },
    noun: `${groupWord(group)}${capital(version)}${namespaced ? 'Namespaced' : ''}${kind}`,
  };
  const collection = `${root}${scope}/${resource}`;
  const paths: PathPlan[] = [
    {
      path: collection,
      parameters,
      operations: operations(['list', 'create', 'deletecollection'], info.verbs, target),
    },
    {
      path: `${collection}/{name}`,
      parameters: ['name', ...parameters],
      operations: operations(['get', 'update', 'patch', 'delete'], info.verbs, target),
    },
  ];
  if (namespaced && info.verbs.includes('list')) {
    const noun = `${groupWord(group)}${capital(version)}${kind}ForAllNamespaces`;
    const everywhere = operations(['list'], info.verbs, { ...target, noun });
    paths.push({ path: `${root}/${resource}`, parameters: [], operations: everywhere });
  }
  if (info.verbs.includes('watch') && typeTable.type(info.typeName) !== undefined) {
    paths.push(...watchPaths(target, parameters));
  }
  for (const sub of info.subresources) {
    paths.push(...subresourcePaths(sub, `${collection}/{name}`, ['name', ...parameters], target));
  }
  return paths.filter((path) => path.operations.length > 0);
}

/** The old paths of watches, which custom resources do not have. */
function watchPaths({ info, kind, noun }: Target, parameters: readonly string[]): PathPlan[] {
  const { group, version, namespaced, resource } = info;
  const root = group === '' ? `/api/${version}/watch` : `/apis/${group}/${version}/watch`;
  const collection = `${root}${namespaced ? '/namespaces/{namespace}' : ''}/${resource}`;
  const plan = (action: 'watch' | 'watchlist', of: string): OperationPlan => ({
    method: 'get',
    action,
    operationId: `watch${of}`,
    tag: tagOf(info),
    kind,
    body: undefined,
    isBodyRequired: false,
    answers: [['200', `${metaPackage}.WatchEvent`]],
    query: queryOf('list/watch'),
    consumes: ['*/*'],
    produces: listProduces,
  });
  const paths: PathPlan[] = [
    { path: collection, parameters, operations: [plan('watchlist', `${noun}List`)] },
    {
      path: `${collection}/{name}`,
      parameters: ['name', ...parameters],
      operations: [plan('watch', noun)],
    },
  ];
  if (!namespaced) return paths;
  const everywhere = `${groupWord(group)}${capital(version)}${info.kind}ListForAllNamespaces`;
  return [
    { path: `${root}/${resource}`, parameters: [], operations: [plan('watchlist', everywhere)] },
    ...paths,
  ];
}

interface SubresourceDetail {
  name: string;
  methods?: string[];
  query?: Record<string, string | undefined>;
  trailingPath?: boolean;
}

interface ResourceDetail {
  group: string;
  version: string;
  resource: string;
  subresources?: SubresourceDetail[];
}

/** What the table says beyond SubresourceInfo: methods and query parameters of streams. */
function detailOf(info: ResourceInfo, name: string): SubresourceDetail | undefined {
  const resources = table.resources as ResourceDetail[];
  return resources
    .find(
      (entry) =>
        entry.resource === info.resource &&
        entry.group === info.group &&
        entry.version === info.version,
    )
    ?.subresources?.find((sub) => sub.name === name);
}

function subresourcePaths(
  sub: SubresourceInfo,
  parent: string,
  parameters: readonly string[],
  of: Target,
): PathPlan[] {
  const kind = { group: sub.group, kind: sub.kind, version: sub.version };
  const isOwnKind = sub.kind === of.info.kind && sub.group === of.info.group;
  const typeName = isOwnKind ? of.info.typeName : typeNameOf(kind);
  const target: Target = { info: of.info, typeName, kind, noun: `${of.noun}${capital(sub.name)}` };
  const detail = detailOf(of.info, sub.name);
  const path = `${parent}/${sub.name}`;
  if (detail?.methods !== undefined) {
    const streams = connectOperations(detail, target);
    const own: PathPlan = { path, parameters, operations: streams };
    if (detail.trailingPath !== true) return [own];
    const below = streams.map((plan) => ({ ...plan, operationId: `${plan.operationId}WithPath` }));
    return [
      own,
      { path: `${path}/{path}`, parameters: [...parameters, 'path'], operations: below },
    ];
  }
  const names = ['get', 'create', 'update', 'patch'];
  const extra = Object.entries(detail?.query ?? {}).map(
    ([name, type = 'string']) => [name, type] as const,
  );
  const plans = operations(names, sub.verbs, target).map((plan) => ({
    ...plan,
    query: [...plan.query, ...extra],
    ...(sub.name === 'log'
      ? { answers: [['200', undefined] as const], produces: ['text/plain'] }
      : {}),
  }));
  return [{ path, parameters, operations: plans }];
}

function connectOperations(detail: SubresourceDetail, target: Target): OperationPlan[] {
  const query = Object.entries(detail.query ?? {}).map(
    ([name, type = 'string']) => [name, type] as const,
  );
  return (detail.methods ?? []).map((method) => ({
    method: method.toLowerCase() as OperationPlan['method'],
    action: 'connect',
    operationId: `connect${capital(method.toLowerCase())}${target.noun}`,
    tag: tagOf(target.info),
    kind: target.kind,
    body: undefined,
    isBodyRequired: false,
    answers: [['200', undefined]],
    query,
    consumes: ['*/*'],
    produces: ['*/*'],
  }));
}
