import { writeSync } from 'node:fs';
import { systemClock } from '#base/clock.ts';
import { hasCode } from '#base/errors.ts';
import { silentLogger } from '#base/log.ts';
import { openBackend } from '#store/mod.ts';

/**
 * Writes as fast as it can and prints `<kind> <key> <revision>` for each acknowledged write, until
 * it is killed. Usage: node writer.ts <dataDir> <round> [clients]
 */
const [dataDir = '', round = '0', clients = '16'] = process.argv.slice(2);
const backend = await openBackend({
  endpoint: '',
  dataDir,
  clock: systemClock,
  log: silentLogger,
});
const body = 'x'.repeat(1000);
const encode = (revision: number): Buffer => Buffer.from(`${revision} ${body}`);
const pause = new Int32Array(new SharedArrayBuffer(4));
// Synchronous, so that a line is in the pipe before the next write can depend on it.
const report = (kind: string, key: string, revision: number): void => {
  for (;;) {
    try {
      writeSync(1, `${kind} ${key} ${revision}\n`);
      return;
    } catch (error) {
      // the pipe is full: the reader got no turn
      if (!hasCode(error, 'EAGAIN')) throw error;
      Atomics.wait(pause, 0, 0, 1);
    }
  }
};

report('open', '-', backend.currentRevision);
async function client(name: string): Promise<void> {
  for (let i = 0; ; i++) {
    const key = `/registry/pods/${round}/${name}-${i}`;
    const created = await backend.create(key, encode);
    report('put', key, created.modRevision);
    const updated = await backend.update(key, created.modRevision, encode);
    report('put', key, updated.modRevision);
    if (i % 3 !== 0) continue;
    const deleted = await backend.delete(key, updated.modRevision, encode);
    report('delete', key, deleted.modRevision);
    if (i % 30 === 0 && name === '0') {
      await backend.compact(Math.max(backend.currentRevision - 50, backend.compactRevision + 1));
    }
  }
}
await Promise.all(Array.from({ length: Number(clients) }, (_, i) => client(String(i))));
