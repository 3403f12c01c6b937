import { rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { systemClock } from '#base/clock.ts';
import { silentLogger } from '#base/log.ts';
import { openBackend } from '#store/mod.ts';

/**
 * Opens a datastore with an index of kine's, first without room to take it away, then with room, and
 * prints what happened. Usage: node full-disk-open.ts <dataDir>
 */
const [dataDir = ''] = process.argv.slice(2);
const path = join(dataDir, 'db/state.db');
const ballast = join(dataDir, 'ballast');
/** Enough for SQLite's shared memory, which a reader needs as well, and too little for a write. */
const freeBytes = 44 * 1024;

const open = () => openBackend({ endpoint: '', dataDir, clock: systemClock, log: silentLogger });

function hasIndex(): boolean {
  const db = new DatabaseSync(path, { readOnly: true });
  const row = db.prepare("SELECT name FROM sqlite_master WHERE name = 'kine_name_index'").get();
  db.close();
  return row !== undefined;
}

const first = await open();
const keys = Array.from({ length: 300 }, (_, i) => `/key-${i}`);
await Promise.all(keys.map((key) => first.create(key, () => Buffer.alloc(500))));
await first.close();
const db = new DatabaseSync(path);
db.exec('CREATE INDEX kine_name_index ON kine (name)');
db.close();
const { bavail, bsize } = statfsSync(dataDir);
writeFileSync(ballast, Buffer.alloc(bavail * bsize - freeBytes));

const report: Record<string, unknown> = {};
const full = await open();
report['opensWithoutRoom'] = (await full.get('/key-299')) !== undefined;
report['keepsIndex'] = hasIndex();
await full.close();
rmSync(ballast);
const last = await open();
report['dropsIndexLater'] = !hasIndex();
await last.create('/more', () => Buffer.alloc(1));
report['holdsAll'] = (await last.count('/key-')) === keys.length;
await last.close();
process.stdout.write(JSON.stringify(report));
