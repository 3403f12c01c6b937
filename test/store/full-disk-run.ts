import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import type { KeyValue } from '#store/mod.ts';
import { openBackend } from '#store/mod.ts';

/**
 * Fills the file system of its data directory through the datastore, gives it room again in both
 * ways there are, and prints what happened. Usage: node full-disk-run.ts <dataDir>
 */
const [dataDir = ''] = process.argv.slice(2);
const log = silentLogger;
const store = await openBackend({ endpoint: '', dataDir, clock: systemClock, log });
const body = 'x'.repeat(20_000);
const encode = (revision: number): Buffer => Buffer.from(`${revision} ${body}`);

let item: KeyValue = await store.create('/kept', encode);
let writes = 0;
/** Changes one key until the store refuses; true when it did with the right error. */
async function fill(): Promise<boolean> {
  for (let i = 0; i < 100_000; i++) {
    try {
      item = await store.update('/kept', item.modRevision, encode);
      writes++;
    } catch (error) {
      return (error as { code?: string }).code === 'Unavailable';
    }
  }
  return false;
}

const report: Record<string, unknown> = {};
const ballast = join(dataDir, 'ballast');
writeFileSync(ballast, Buffer.alloc(8 * 1024 * 1024));
report['refusedWhenFull'] = await fill();
report['wroteBefore'] = writes > 100;
report['readsWhenFull'] = (await store.get('/kept'))?.modRevision === item.modRevision;
report['isFull'] = statfsSync(dataDir).bavail < 64;
await store.compact(store.currentRevision);
item = await store.update('/kept', item.modRevision, encode);
report['writesAfterCompaction'] = true;
report['refusedAgain'] = await fill();
rmSync(ballast, { force: true });
item = await store.update('/kept', item.modRevision, encode);
report['writesWhenSpaceReturns'] = true;
await store.close();
const again = await openBackend({ endpoint: '', dataDir, clock: systemClock, log });
report['holdsAll'] = (await again.get('/kept'))?.modRevision === item.modRevision;
await again.close();
process.stdout.write(JSON.stringify(report));
