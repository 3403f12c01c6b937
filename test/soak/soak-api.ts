import { PassThrough, Writable } from 'node:stream';
import { ApiException, AppsV1Api, CoreV1Api, Exec, KubeConfig } from '@kubernetes/client-node';
import { systemClock } from '#base/clock.ts';
import { messageOf } from '#base/errors.ts';

const patienceMs = 120_000;
const execTimeoutMs = 10_000;

/** Clients of the API that live through servers being killed. */
export interface SoakApi {
  readonly config: KubeConfig;
  readonly core: CoreV1Api;
  readonly apps: AppsV1Api;
  /**
   * Repeats a call until it is answered. The codes are answers as good as success: 409 to a create
   * and 404 to a delete say that an earlier try, whose answer was lost, had been taken.
   */
  persist<T>(what: string, call: () => Promise<T>, codes?: readonly number[]): Promise<void>;
  /** Runs a command in a container and answers its output; tried once. */
  exec(pod: string, container: string, command: string[]): Promise<string>;
  /** How many tries were not answered. */
  unanswered(): number;
}

export function createSoakApi(namespace: string): SoakApi {
  const config = new KubeConfig();
  config.loadFromFile('/etc/rancher/k3s/k3s.yaml');
  let unanswered = 0;
  return {
    config,
    core: config.makeApiClient(CoreV1Api),
    apps: config.makeApiClient(AppsV1Api),
    async persist(what, call, codes = []) {
      const endMs = systemClock.monotonicMs() + patienceMs;
      for (;;) {
        try {
          await call();
          return;
        } catch (error) {
          const code = error instanceof ApiException ? error.code : 0;
          if (codes.includes(code)) return;
          // Conflicts are tried again with what is there by then; 503 and 429 pass.
          const isPassing = code === 0 || code === 409 || code === 429 || code >= 500;
          if (!isPassing || systemClock.monotonicMs() > endMs) {
            throw new Error(`${what}: ${messageOf(error)}`, { cause: error });
          }
          unanswered += 1;
          await systemClock.sleep(200);
        }
      }
    },
    async exec(pod, container, command) {
      const { promise, resolve, reject } = Promise.withResolvers<string>();
      const text: string[] = [];
      const output = new Writable({
        write(chunk: Buffer, _encoding, done) {
          text.push(chunk.toString());
          done();
        },
      });
      const ended = (status: { status?: string; message?: string }): void => {
        if (status.status === 'Success') resolve(text.join(''));
        else reject(new Error(status.message ?? 'exec failed'));
      };
      const run = new Exec(config)
        .exec(namespace, pod, container, command, output, new PassThrough(), null, false, ended)
        .then((socket) => {
          socket.on('close', () => reject(new Error('the connection was closed')));
          socket.on('error', reject);
        });
      const late = systemClock.sleep(execTimeoutMs).then(() => {
        throw new Error('exec took too long');
      });
      return await Promise.race([run.then(() => promise), late]);
    },
    unanswered: () => unanswered,
  };
}
