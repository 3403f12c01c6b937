import assert from 'node:assert/strict';
import { appendFile, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import * as fc from 'fast-check';
import { FakeClock } from '#base/fake-clock.ts';
import { RecordFormatter } from './format-records.ts';
import { readContainerLog } from './read-log.ts';
import type { ReadLogOptions } from './read-log.ts';

const sample = `2026-01-01T00:00:01.5Z stdout F one
2026-01-01T00:00:02.000000001Z stderr F two
2026-01-01T00:00:03Z stdout P thr
2026-01-01T00:00:04Z stdout F ee
nonsense
2026-01-01T00:00:05+01:00 stdout F early
{"log":"docker\\n","stream":"stdout","time":"2026-01-01T00:00:06Z"}
`;

async function fileWith(t: TestContext, text: string): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'container-log-'));
  t.after(() => rm(directory, { recursive: true }));
  const path = join(directory, '0.log');
  await writeFile(path, text);
  return path;
}

function optionsFor(path: string, more: Partial<ReadLogOptions>): ReadLogOptions {
  return {
    path,
    isFollowing: false,
    hasTimestamps: false,
    isRunning: () => false,
    clock: new FakeClock(),
    signal: new AbortController().signal,
    ...more,
  };
}

async function read(path: string, more: Partial<ReadLogOptions> = {}): Promise<string> {
  let text = '';
  for await (const piece of readContainerLog(optionsFor(path, more))) text += piece.toString();
  return text;
}

test('output has the text of all records in order, partial ones joined', async (t) => {
  const path = await fileWith(t, sample);
  assert.equal(await read(path), 'one\ntwo\nthree\nearly\ndocker\n');
});

const cases: readonly [what: string, options: Partial<ReadLogOptions>, output: string][] = [
  ['tail counts lines of the file', { tailLines: 2 }, 'early\ndocker\n'],
  ['tail of partial records begins in the middle', { tailLines: 4 }, 'ee\nearly\ndocker\n'],
  ['tail 0 is nothing', { tailLines: 0 }, ''],
  ['tail of more than there is', { tailLines: 100 }, 'one\ntwo\nthree\nearly\ndocker\n'],
  [
    'since keeps what is as old to the nanosecond',
    { sinceTime: '2026-01-01T00:00:02.000000001Z' },
    'two\nthree\ndocker\n',
  ],
  ['the limit cuts inside a line', { limitBytes: 6 }, 'one\ntw'],
  [
    'timestamps have nine digits, once a line',
    { hasTimestamps: true, tailLines: 5 },
    '2026-01-01T00:00:03.000000000Z three\n2026-01-01T00:00:05.000000000+01:00 early\n' +
      '2026-01-01T00:00:06.000000000Z docker\n',
  ],
  ['the limit counts timestamps', { hasTimestamps: true, limitBytes: 10 }, '2026-01-01'],
];

for (const [what, options, output] of cases) {
  test(what, async (t) => {
    assert.equal(await read(await fileWith(t, sample), options), output);
  });
}

test('a last line without newline is shown, when nothing more comes', async (t) => {
  const path = await fileWith(
    t,
    '2026-01-01T00:00:01Z stdout F one\n2026-01-01T00:00:02Z stdout F tw',
  );
  assert.equal(await read(path), 'one\ntw\n');
});

test('the tail of a long file is found without reading all of it', async (t) => {
  const line = `2026-01-01T00:00:01Z stdout F ${'x'.repeat(100)}`;
  const lines = Array.from({ length: 5000 }, (_, index) => `${line}${index}\n`);
  const path = await fileWith(t, lines.join(''));
  const output = await read(path, { tailLines: 1500 });
  assert.equal(output.split('\n').length, 1501);
  assert.match(output, new RegExp(`^x+${5000 - 1500}\n`));
});

/** Follows a file; `next` resolves with all that came until it contains a text. */
function follow(path: string, more: Partial<ReadLogOptions> = {}) {
  const state = { isRunning: true, text: '' };
  const clock = new FakeClock();
  const options = optionsFor(path, {
    isFollowing: true,
    isRunning: () => state.isRunning,
    clock,
    ...more,
  });
  let wake: (() => void) | undefined;
  const ended = (async () => {
    for await (const piece of readContainerLog(options)) {
      state.text += piece.toString();
      wake?.();
    }
    wake?.();
  })();
  const until = async (text: string): Promise<void> => {
    while (!state.text.includes(text)) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
    }
  };
  return { state, clock, ended, until };
}

const record = (text: string): string => `2026-01-01T00:00:09Z stdout F ${text}\n`;

test('following shows what is added, through a rotation, until the container ends', async (t) => {
  const path = await fileWith(t, record('old'));
  const { state, clock, ended, until } = follow(path);
  await until('old\n');
  await appendFile(path, record('added'));
  await until('added\n');
  await rename(path, `${path}.20260101-000000`);
  await appendFile(`${path}.20260101-000000`, record('late'));
  await until('late\n');
  await writeFile(path, record('new file'));
  await until('new file\n');
  await appendFile(path, record('last'));
  state.isRunning = false;
  await clock.advance(1000);
  await ended;
  assert.equal(state.text, 'old\nadded\nlate\nnew file\nlast\n');
});

test('following waits for the rest of a line', async (t) => {
  const path = await fileWith(t, '2026-01-01T00:00:09Z stdout F ha');
  const { state, clock, ended, until } = follow(path, { tailLines: 10 });
  await appendFile(path, 'lf\n');
  await until('half\n');
  state.isRunning = false;
  await clock.advance(1000);
  await ended;
  assert.equal(state.text, 'half\n');
});

test('following ends when the reader leaves', async (t) => {
  const path = await fileWith(t, record('old'));
  const leaving = new AbortController();
  const { ended, until } = follow(path, { signal: leaving.signal });
  await until('old\n');
  leaving.abort();
  await ended;
});

test('output does not depend on where the file is cut', () => {
  const whole = new RecordFormatter({ hasTimestamps: true });
  const expected = whole.push(Buffer.from(sample)).toString();
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1 }), (cuts) => {
      const formatter = new RecordFormatter({ hasTimestamps: true });
      const bytes = Buffer.from(sample);
      let output = '';
      for (let at = 0, turn = 0; at < bytes.length; turn++) {
        const size = cuts[turn % cuts.length] as number;
        output += formatter.push(bytes.subarray(at, at + size)).toString();
        at += size;
      }
      assert.equal(output, expected);
    }),
  );
});
