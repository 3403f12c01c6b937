import { createHash } from 'node:crypto';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '#base/clock.ts';
import { formatTime } from '#base/clock.ts';
import { hasCode, messageOf } from '#base/errors.ts';
import type { Logger } from '#base/log.ts';
import { writeFileAtomic } from '#host/atomic-file.ts';
import { makeDirectory } from '#host/files.ts';
import { repositoryOf } from './image-name.ts';
import type { PullCredential, PullSecret, PullServiceAccount } from './pull-credential.ts';
import { needsVerification } from './pull-policy.ts';
import type { VerificationPolicy } from './pull-policy.ts';

/**
 * Who may use the images that the kubelet pulled: a pod that cannot show a credential that a pull
 * succeeded with pulls again, though the image is there. In upstream's files and their form.
 */
export interface PullRecords {
  /** A pull begins; known also after a crash. */
  begin(image: string): Promise<void>;
  pulled(image: string, imageRef: string, credential: PullCredential | undefined): Promise<void>;
  failed(image: string): Promise<void>;
  /** `credentials` are the pod's for this image; asked for only when they matter. */
  mustPull(
    image: string,
    imageRef: string,
    credentials: () => Promise<readonly PullCredential[]>,
  ): Promise<boolean>;
  /** Forgets images that are gone, unless they were pulled after `sinceMs`. */
  prune(imageRefs: ReadonlySet<string>, sinceMs: number): Promise<void>;
}

interface Access {
  readonly kubernetesSecrets?: readonly PullSecret[];
  readonly kubernetesServiceAccounts?: readonly PullServiceAccount[];
  readonly nodePodsAccessible?: boolean;
}

/** One image, and who may use it by repository. */
interface PulledRecord {
  readonly lastUpdatedTime: string;
  readonly imageRef: string;
  readonly credentialMapping: Readonly<Record<string, Access>>;
}

const apiVersion = 'kubelet.config.k8s.io/v1beta1';
/** More secrets than this are looked through, but not written down for one image. */
const maxSecrets = 100;

export interface PullRecordsOptions {
  /** `/var/lib/kubelet`. */
  rootDir: string;
  policy: VerificationPolicy;
  allowlist: readonly string[];
  clock: Pick<Clock, 'now'>;
  log: Logger;
}

export function createPullRecords(options: PullRecordsOptions): PullRecords {
  const { clock, log } = options;
  const pulling = join(options.rootDir, 'image_manager', 'pulling');
  const pulledFolder = join(options.rootDir, 'image_manager', 'pulled');
  const records = new Map<string, PulledRecord>();
  /** Pulls in flight by image. */
  const intents = new Map<string, number>();
  let loading: Promise<void> | undefined;
  let writing: Promise<unknown> = Promise.resolve();

  const load = (): Promise<void> => (loading ??= readAll());
  const readAll = async (): Promise<void> => {
    await makeDirectory(pulling, 0o700);
    await makeDirectory(pulledFolder, 0o700);
    for (const record of await readFolder<PulledRecord>(pulledFolder, log)) {
      if (typeof record.imageRef === 'string') records.set(record.imageRef, record);
    }
    for (const { image } of await readFolder<{ image?: string }>(pulling, log)) {
      if (image !== undefined) intents.set(image, 0);
    }
  };
  /** One write after the other, so that the newest is what stays. */
  const inOrder = (work: () => Promise<void>): Promise<void> => {
    const next = writing.then(work);
    writing = next.catch(() => undefined);
    return next;
  };
  const save = (record: PulledRecord): Promise<void> => {
    records.set(record.imageRef, record);
    const text = JSON.stringify({ apiVersion, kind: 'ImagePulledRecord', ...record });
    return inOrder(() => writeFileAtomic(fileIn(pulledFolder, record.imageRef), text));
  };
  const endIntent = async (image: string): Promise<void> => {
    const left = (intents.get(image) ?? 1) - 1;
    if (left > 0) {
      intents.set(image, left);
      return;
    }
    intents.delete(image);
    await inOrder(() => rm(fileIn(pulling, image), { force: true }));
  };
  const addSecret = async (record: PulledRecord, image: string, secret: PullSecret) => {
    const access = record.credentialMapping[repositoryOf(image)];
    if ((access?.kubernetesSecrets?.length ?? 0) >= maxSecrets) return;
    await save(withAccess(record, image, { secret }, clock.now())).catch((error: unknown) => {
      log.warning('cannot write the record of an image', { image, error: messageOf(error) });
    });
  };

  return {
    async begin(image) {
      await load();
      intents.set(image, (intents.get(image) ?? 0) + 1);
      const text = JSON.stringify({ apiVersion, kind: 'ImagePullIntent', image });
      await inOrder(() => writeFileAtomic(fileIn(pulling, image), text));
    },
    async pulled(image, imageRef, credential) {
      await load();
      const before = records.get(imageRef) ?? emptyRecord(imageRef);
      await save(withAccess(before, image, credential ?? {}, clock.now()));
      await endIntent(image);
    },
    failed: endIntent,
    async mustPull(image, imageRef, credentials) {
      await load();
      const record = records.get(imageRef);
      const isPulled = record !== undefined || intents.has(image);
      if (!needsVerification(image, isPulled, options)) return false;
      const access = record?.credentialMapping[repositoryOf(image)];
      if (record === undefined || access === undefined) return true;
      if (access.nodePodsAccessible === true) return false;
      const { kubernetesSecrets: known = [], kubernetesServiceAccounts: accounts = [] } = access;
      if (known.length + accounts.length === 0) return true;
      const shown = await credentials();
      for (const secret of shown.flatMap((credential) => credential.secret ?? [])) {
        const found = known.find((one) => isSameHash(one, secret) || isSameObject(one, secret));
        if (found === undefined) continue;
        // A secret that was changed, or another one of the same content, is good from now on.
        if (!known.some((one) => isSameHash(one, secret) && isSameObject(one, secret))) {
          await addSecret(record, image, secret);
        }
        return false;
      }
      return !shown.some(({ serviceAccount: own }) =>
        accounts.some((account) => own !== undefined && isSameObject(account, own)),
      );
    },
    async prune(imageRefs, sinceMs) {
      await load();
      for (const [imageRef, { lastUpdatedTime }] of records) {
        if (imageRefs.has(imageRef) || Date.parse(lastUpdatedTime) >= sinceMs) continue;
        records.delete(imageRef);
        await inOrder(() => rm(fileIn(pulledFolder, imageRef), { force: true }));
      }
    },
  };
}

function emptyRecord(imageRef: string): PulledRecord {
  return { lastUpdatedTime: '', imageRef, credentialMapping: {} };
}

type Source = Pick<PullCredential, 'secret' | 'serviceAccount'>;

function withAccess(
  record: PulledRecord,
  image: string,
  source: Source,
  nowMs: number,
): PulledRecord {
  const repository = repositoryOf(image);
  const access = openedFor(record.credentialMapping[repository] ?? {}, source);
  return {
    ...record,
    lastUpdatedTime: formatTime(nowMs),
    credentialMapping: { ...record.credentialMapping, [repository]: access },
  };
}

/** What anybody on the node may use stays so; else the source is added or takes its old place. */
function openedFor(before: Access, { secret, serviceAccount }: Source): Access {
  if (before.nodePodsAccessible === true) return before;
  const { kubernetesSecrets = [], kubernetesServiceAccounts = [] } = before;
  if (secret !== undefined) {
    const others = kubernetesSecrets.filter((one) => !isSameObject(one, secret));
    return { ...before, kubernetesSecrets: [...others, secret] };
  }
  if (serviceAccount === undefined) return { nodePodsAccessible: true };
  const others = kubernetesServiceAccounts.filter((one) => !isSameObject(one, serviceAccount));
  return { ...before, kubernetesServiceAccounts: [...others, serviceAccount] };
}

function isSameHash(a: PullSecret, b: PullSecret): boolean {
  return a.credentialHash !== '' && a.credentialHash === b.credentialHash;
}

function isSameObject(a: PullServiceAccount, b: PullServiceAccount): boolean {
  return a.uid === b.uid && a.namespace === b.namespace && a.name === b.name;
}

function fileIn(folder: string, name: string): string {
  return join(folder, `sha256-${createHash('sha256').update(name).digest('hex')}`);
}

/** Files that cannot be read are left out: their images are asked about again. */
async function readFolder<T>(folder: string, log: Logger): Promise<T[]> {
  const found: T[] = [];
  for (const name of await readdir(folder)) {
    const path = join(folder, name);
    try {
      found.push(JSON.parse(await readFile(path, 'utf8')) as T);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) continue;
      log.warning('cannot read the record of an image', { path, error: messageOf(error) });
    }
  }
  return found;
}
