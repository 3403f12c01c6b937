import type { Container, ContainerStats, CriClient, Image, PodSandbox } from '#kubelet/cri/mod.ts';
import { booleanFlag, stringFlag } from '../flags/flag.ts';
import type { FlagValues } from '../flags/flag.ts';
import { ageText, renderTable, sizeText } from './table.ts';

const shortIdLength = 13;
const podNameLabel = 'io.kubernetes.pod.name';
const podNamespaceLabel = 'io.kubernetes.pod.namespace';

interface ListCall {
  readonly cri: CriClient;
  readonly values: FlagValues;
  readonly nowMs: number;
}

const idOf = (id: string, values: FlagValues): string =>
  booleanFlag(values, 'no-trunc') ? id : id.slice(0, shortIdLength);

/** `crictl ps`: containers, the newest first. */
export async function listContainers({ cri, values, nowMs }: ListCall): Promise<string> {
  const containers = (await cri.runtime.listContainers())
    .filter((container) => booleanFlag(values, 'all') || container.state === 'CONTAINER_RUNNING')
    .filter((container) => fits(container, values))
    .sort((a, b) => b.createdAt - a.createdAt);
  if (stringFlag(values, 'output') === 'json') return toJson({ containers });
  if (booleanFlag(values, 'quiet')) return lines(containers.map(({ id }) => id));
  const header = ['CONTAINER', 'IMAGE', 'CREATED', 'STATE', 'NAME', 'ATTEMPT', 'POD ID', 'POD'];
  return renderTable([
    header,
    ...containers.map((container) => [
      idOf(container.id, values),
      imageText(container, values),
      ageText(container.createdAt, nowMs),
      stateText(container.state),
      container.metadata?.name ?? '',
      String(container.metadata?.attempt ?? 0),
      idOf(container.podSandboxId, values),
      container.labels[podNameLabel] ?? 'unknown',
    ]),
  ]);
}

function fits(container: Container, values: FlagValues): boolean {
  const name = stringFlag(values, 'name');
  if (name !== undefined && !new RegExp(name).test(container.metadata?.name ?? '')) return false;
  const pod = stringFlag(values, 'pod');
  if (pod !== undefined && !container.podSandboxId.startsWith(pod)) return false;
  const namespace = stringFlag(values, 'namespace');
  return namespace === undefined || container.labels[podNamespaceLabel] === namespace;
}

function imageText({ image }: Container, values: FlagValues): string {
  const name = image?.image ?? '';
  return name.startsWith('sha256:') ? idOf(name.slice('sha256:'.length), values) : name;
}

/** `crictl pods`: sandboxes, the newest first. */
export async function listPods({ cri, values, nowMs }: ListCall): Promise<string> {
  const name = stringFlag(values, 'name');
  const namespace = stringFlag(values, 'namespace');
  const items = (await cri.runtime.listPodSandbox())
    .filter(({ metadata }) => name === undefined || new RegExp(name).test(metadata?.name ?? ''))
    .filter(({ metadata }) => namespace === undefined || metadata?.namespace === namespace)
    .sort((a, b) => b.createdAt - a.createdAt);
  if (stringFlag(values, 'output') === 'json') return toJson({ items });
  if (booleanFlag(values, 'quiet')) return lines(items.map(({ id }) => id));
  const header = ['POD ID', 'CREATED', 'STATE', 'NAME', 'NAMESPACE', 'ATTEMPT', 'RUNTIME'];
  return renderTable([header, ...items.map((pod) => podRow(pod, values, nowMs))]);
}

function podRow(pod: PodSandbox, values: FlagValues, nowMs: number): string[] {
  return [
    idOf(pod.id, values),
    ageText(pod.createdAt, nowMs),
    stateText(pod.state),
    pod.metadata?.name ?? '',
    pod.metadata?.namespace ?? '',
    String(pod.metadata?.attempt ?? 0),
    pod.runtimeHandler === '' ? '(default)' : pod.runtimeHandler,
  ];
}

/** `crictl images`: a row for each name of an image. */
export async function listImages({ cri, values }: ListCall): Promise<string> {
  const images = await cri.images.listImages();
  if (stringFlag(values, 'output') === 'json') return toJson({ images });
  if (booleanFlag(values, 'quiet')) return lines(images.map(({ id }) => id));
  const rows = images.flatMap((image) => imageRows(image, values));
  rows.sort((a, b) => (`${a[0] ?? ''}:${a[1] ?? ''}` < `${b[0] ?? ''}:${b[1] ?? ''}` ? -1 : 1));
  return renderTable([['IMAGE', 'TAG', 'IMAGE ID', 'SIZE'], ...rows]);
}

function imageRows(image: Image, values: FlagValues): string[][] {
  const id = idOf(image.id.replace(/^sha256:/, ''), values);
  const size = sizeText(image.size);
  if (image.repoTags.length === 0) {
    const [repository = '<none>'] = (image.repoDigests[0] ?? '<none>').split('@');
    return [[repository, '<none>', id, size]];
  }
  return image.repoTags.map((reference) => {
    const colon = reference.lastIndexOf(':');
    return [reference.slice(0, colon), reference.slice(colon + 1), id, size];
  });
}

/** `crictl stats`: what containers use, only running ones unless asked for all; CPU as a share of
 * one core over a second. */
export async function listStats(
  { cri, values }: ListCall,
  waitOneSecond: () => Promise<void>,
): Promise<string> {
  const running = new Set(
    (await cri.runtime.listContainers())
      .filter(({ state }) => booleanFlag(values, 'all') || state === 'CONTAINER_RUNNING')
      .map(({ id }) => id),
  );
  const isWanted = ({ attributes }: ContainerStats): boolean => running.has(attributes?.id ?? '');
  const before = (await cri.runtime.listContainerStats()).filter(isWanted);
  if (stringFlag(values, 'output') === 'json') return toJson({ stats: before });
  await waitOneSecond();
  const earlier = new Map(before.map((stats) => [stats.attributes?.id, stats]));
  const after = (await cri.runtime.listContainerStats()).filter(isWanted);
  const rows = after.map((stats) => {
    const old = earlier.get(stats.attributes?.id);
    const usedNs =
      (stats.cpu?.usageCoreNanoSeconds?.value ?? 0) - (old?.cpu?.usageCoreNanoSeconds?.value ?? 0);
    const spanNs = (stats.cpu?.timestamp ?? 0) - (old?.cpu?.timestamp ?? 0);
    return [
      idOf(stats.attributes?.id ?? '', values),
      stats.attributes?.metadata?.name ?? '',
      (old === undefined || spanNs <= 0 ? 0 : (usedNs / spanNs) * 100).toFixed(2),
      sizeText(stats.memory?.workingSetBytes?.value ?? 0),
      sizeText(stats.writableLayer?.usedBytes?.value ?? 0),
      String(stats.writableLayer?.inodesUsed?.value ?? 0),
    ];
  });
  return renderTable([['CONTAINER', 'NAME', 'CPU %', 'MEM', 'DISK', 'INODES'], ...rows]);
}

function stateText(state: string): string {
  const word = state.replace(/^(CONTAINER|SANDBOX)_/, '').toLowerCase();
  return word === 'notready' ? 'NotReady' : word.charAt(0).toUpperCase() + word.slice(1);
}

export function toJson(value: unknown): string {
  return `${JSON.stringify(value, (_key, entry: unknown) => (typeof entry === 'bigint' ? entry.toString() : entry), 2)}\n`;
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}
