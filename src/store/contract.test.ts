import { join } from 'node:path';
import { contractSuite } from './contract-suite.ts';
import { openMemory } from './drivers/memory.ts';
import { openSqlite } from './drivers/sqlite.ts';

contractSuite({
  name: 'memory',
  isDurable: false,
  open: async ({ clock, log }) => openMemory({ clock, log }),
});

contractSuite({
  name: 'sqlite',
  isDurable: true,
  open: ({ dir, clock, log }) => openSqlite({ path: join(dir, 'state.db'), clock, log }),
});
