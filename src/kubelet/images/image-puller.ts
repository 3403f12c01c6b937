import type { Clock } from '#base/clock.ts';
import { K3tsError, messageOf } from '#base/errors.ts';
import { traced } from '#base/trace.ts';
import type { Pod, Secret } from '#schema/types.ts';
import { CriError } from '../cri/mod.ts';
import type { Image, ImageService, PodSandboxConfig } from '../cri/mod.ts';
import { goDuration } from '../go-duration.ts';
import { createKeyedBackOff } from '../pods/crash-back-off.ts';
import { namespaceOf, podKey, specOf, uidOf } from '../pods/names.ts';
import type { PodContainer } from '../pods/names.ts';
import type { PodEvents } from '../pods/pod-events.ts';
import { ContainerStartError } from '../pods/start-error.ts';
import { defaultPullPolicy, problemOfName, withDefaultTag } from './image-name.ts';
import type { PullCredential } from './pull-credential.ts';
import type { PullRecords } from './pull-records.ts';
import { credentialsFor } from './pull-secrets.ts';
import { createPullSlots } from './pull-slots.ts';

export interface ImageRequest {
  readonly pod: Pod;
  /** Whose image it is; events are about the pod when it is for a volume. */
  readonly of: PodContainer | undefined;
  /** As the pod has it. */
  readonly image: string;
  readonly pullPolicy: string | undefined;
  readonly sandboxConfig: PodSandboxConfig | undefined;
  readonly signal: AbortSignal;
}

export interface ReadyImage {
  /** What CreateContainer is given. */
  readonly ref: string;
  readonly image: Image | undefined;
}

/** Makes images present by each container's pull policy; one pull at a time for the same image. */
export interface ImagePuller {
  /** Throws ContainerStartError with upstream's reasons and texts. */
  ensure(request: ImageRequest): Promise<ReadyImage>;
  forgetPod(uid: string): void;
}

export function createImagePuller(options: {
  images: ImageService;
  clock: Clock;
  events: PodEvents;
  readSecret: (namespace: string, name: string) => Promise<Secret>;
  /** What the node itself knows, for after the pod's own secrets. */
  nodeCredentials?: ((image: string, pod: Pod) => Promise<PullCredential[]>) | undefined;
  /** Who may use what was pulled. */
  records: PullRecords;
  /** Pulls at the same time, others wait in order; 0 or absent: any number. */
  maxParallel?: number | undefined;
}): ImagePuller {
  const slots = createPullSlots(options.maxParallel ?? 0);
  const { images, clock, records } = options;
  const note = noteWith(options.events);
  const backOff = createKeyedBackOff({ clock });
  const lastErrors = new Map<string, { error: ContainerStartError; atMs: number }>();
  const pulling = new Map<string, Promise<PullOutcome>>();

  const pullOnce = (
    image: string,
    credentials: PullCredential[],
    request: ImageRequest,
  ): Promise<PullOutcome> => {
    const key = JSON.stringify([image, credentials.map(({ auth }) => auth)]);
    const running = pulling.get(key);
    if (running !== undefined) return running;
    // Others may wait for the same pull, so one pod's end does not cancel it.
    const pull = slots
      .run(async () => {
        const startMs = clock.monotonicMs();
        const used = await pullWithCredentials(images, image, credentials, request);
        return { used, tookMs: clock.monotonicMs() - startMs };
      })
      .finally(() => pulling.delete(key));
    pulling.set(key, pull);
    return pull;
  };

  /** `written` is how the pod names the image: events, back-off and records go by it. */
  const pull = async (
    written: string,
    image: string,
    request: ImageRequest,
    credentials: () => Promise<PullCredential[]>,
  ): Promise<ReadyImage> => {
    const { pod } = request;
    const key = `${uidOf(pod)}_${written}`;
    const last = lastErrors.get(key);
    if (last !== undefined && backOff.remainingMs(key, last.atMs) > 0) {
      const message = `Back-off pulling image "${written}"`;
      note(request, 'Normal', 'BackOff', message);
      const retryAtMs = clock.now() + backOff.remainingMs(key, last.atMs);
      const text = `${message}: ${last.error.reason}: ${last.error.message}`;
      throw new ContainerStartError('ImagePullBackOff', text, { cause: last.error, retryAtMs });
    }
    note(request, 'Normal', 'Pulling', `Pulling image "${written}"`);
    const startMs = clock.monotonicMs();
    let outcome: PullOutcome;
    await records.begin(written);
    try {
      const fitting = await credentials();
      const subject = { key: podKey(pod), uid: uidOf(pod), detail: image };
      outcome = await traced('pod.pull-image', subject, () => pullOnce(image, fitting, request));
    } catch (error) {
      await records.failed(written);
      const text = `Failed to pull image "${written}": ${messageOf(error)}`;
      note(request, 'Warning', 'Failed', text);
      const failure = pullFailure(written, error);
      const atMs = clock.now();
      backOff.next(key, atMs);
      lastErrors.set(key, { error: failure, atMs });
      throw failure;
    }
    lastErrors.delete(key);
    const present = await images.imageStatus({ image });
    const ref = present?.id ?? image;
    await records.pulled(written, ref, outcome.used);
    const took = goDuration(outcome.tookMs);
    const waited = goDuration(clock.monotonicMs() - startMs);
    const text = `Successfully pulled image "${written}" in ${took} (${waited} including waiting). Image size: ${present?.size ?? 0} bytes.`;
    note(request, 'Normal', 'Pulled', text);
    return { ref, image: present };
  };

  return {
    async ensure(request) {
      const written = request.image;
      const image = withDefaultTag(written);
      if (image === undefined) throw invalidName(written, request, note);
      const policy = request.pullPolicy ?? defaultPullPolicy(written);
      let found: Promise<PullCredential[]> | undefined;
      const credentials = (): Promise<PullCredential[]> =>
        (found ??= pullCredentials(image, request, options));
      if (policy === 'Always') return await pull(written, image, request, credentials);
      const present = await presentImage(image, request, options);
      if (present !== undefined && !(await records.mustPull(written, present.id, credentials))) {
        const message = `Container image "${written}" already present on machine and can be accessed by the pod`;
        note(request, 'Normal', 'Pulled', message);
        return { ref: present.id, image: present };
      }
      if (policy === 'Never') {
        // Also for an image of others: that it is there is not told.
        const message = `Container image "${written}" is not present with pull policy of Never`;
        note(request, 'Warning', 'ErrImageNeverPull', message);
        throw new ContainerStartError('ErrImageNeverPull', message);
      }
      return await pull(written, image, request, credentials);
    },
    forgetPod(uid) {
      backOff.forget(`${uid}_`);
      for (const key of lastErrors.keys()) if (key.startsWith(`${uid}_`)) lastErrors.delete(key);
    },
  };
}

type Note = (
  request: ImageRequest,
  type: 'Normal' | 'Warning',
  reason: string,
  message: string,
) => void;

function noteWith(events: PodEvents): Note {
  return ({ pod, of }, type, reason, message) => {
    if (of === undefined) events.pod(pod, type, reason, message);
    else events.container(pod, of, type, reason, message);
  };
}

async function presentImage(
  image: string,
  request: ImageRequest,
  { images, events }: { images: ImageService; events: PodEvents },
): Promise<Image | undefined> {
  try {
    return await images.imageStatus({ image });
  } catch (error) {
    const message = `Failed to inspect image "": ${messageOf(error)}`;
    noteWith(events)(request, 'Warning', 'InspectFailed', message);
    throw new ContainerStartError('ImageInspectError', message, { cause: error });
  }
}

function invalidName(written: string, request: ImageRequest, note: Note): Error {
  const message = `Failed to apply default image tag "${written}": couldn't parse image name "${written}": ${problemOfName(written)}`;
  note(request, 'Warning', 'InspectFailed', message);
  return new ContainerStartError('InvalidImageName', message);
}

async function pullCredentials(
  image: string,
  { pod }: ImageRequest,
  {
    readSecret,
    events,
    nodeCredentials,
  }: {
    readSecret: (namespace: string, name: string) => Promise<Secret>;
    events: PodEvents;
    nodeCredentials?: ((image: string, pod: Pod) => Promise<PullCredential[]>) | undefined;
  },
): Promise<PullCredential[]> {
  const secrets: Secret[] = [];
  const missing: string[] = [];
  for (const { name = '' } of specOf(pod).imagePullSecrets ?? []) {
    // A reference without a name is what old objects may have; it means nothing.
    if (name === '') continue;
    try {
      secrets.push(await readSecret(namespaceOf(pod), name));
    } catch {
      missing.push(name);
    }
  }
  if (missing.length > 0) {
    const message = `Unable to retrieve some image pull secrets (${missing.join(', ')}); attempting to pull the image may not succeed.`;
    events.pod(pod, 'Warning', 'FailedToRetrieveImagePullSecret', message);
  }
  return [...credentialsFor(image, secrets), ...((await nodeCredentials?.(image, pod)) ?? [])];
}

interface PullOutcome {
  /** How long the runtime took. */
  readonly tookMs: number;
  readonly used: PullCredential | undefined;
}

/** Each fitting credential in turn, or none at all. Says which one it was; all failures count. */
async function pullWithCredentials(
  images: ImageService,
  image: string,
  credentials: readonly PullCredential[],
  { sandboxConfig }: ImageRequest,
): Promise<PullCredential | undefined> {
  const failures: unknown[] = [];
  for (const credential of credentials.length === 0 ? [undefined] : credentials) {
    try {
      await images.pullImage({ image }, { auth: credential?.auth, sandboxConfig });
      return credential;
    } catch (error) {
      failures.push(error);
    }
  }
  const texts = new Set(failures.map(messageOf));
  if (texts.size === 1) throw failures[0];
  throw new K3tsError('ImagePull', `[${[...texts].join(', ')}]`, { cause: failures[0] });
}

/** Reasons that runtimes name at the start of their text. */
const namedFailures: Readonly<Record<string, string>> = {
  RegistryUnavailable: 'the registry is unavailable',
  SignatureValidationFailed: 'the signature validation failed',
};

function pullFailure(image: string, error: unknown): ContainerStartError {
  const details = error instanceof CriError ? error.details : messageOf(error);
  for (const [reason, because] of Object.entries(namedFailures)) {
    if (!details.startsWith(reason)) continue;
    const message = `image pull failed for ${image} because ${because}${details.slice(reason.length)}`;
    return new ContainerStartError(reason, message, { cause: error });
  }
  return new ContainerStartError('ErrImagePull', messageOf(error), { cause: error });
}
