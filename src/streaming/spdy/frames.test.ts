import assert from 'node:assert/strict';
import { test } from 'node:test';
import { constants, createDeflate, inflateSync } from 'node:zlib';
import type { Deflate } from 'node:zlib';
import * as fc from 'fast-check';
import { FrameReader } from './frame-reader.ts';
import { encodeControl, encodeDataHead } from './frames.ts';
import type { ControlFrame, Frame } from './frames.ts';
import { HeaderDecoder, HeaderEncoder } from './header-block.ts';
import { headerDictionary } from './header-dictionary.ts';

const block = Buffer.from('block');

const goldens: readonly { frame: ControlFrame; bytes: string }[] = [
  {
    frame: {
      type: 'synStream',
      streamId: 1,
      associatedId: 0,
      priority: 7,
      isFin: true,
      isUnidirectional: false,
      block,
    },
    bytes: '80030001 0100000f 00000001 00000000 e000 626c6f636b',
  },
  {
    frame: { type: 'synReply', streamId: 1, isFin: false, block },
    bytes: '80030002 00000009 00000001 626c6f636b',
  },
  {
    frame: { type: 'rstStream', streamId: 5, status: 3 },
    bytes: '80030003 00000008 00000005 00000003',
  },
  {
    frame: { type: 'settings', entries: [{ id: 7, flags: 1, value: 65536 }] },
    bytes: '80030004 0000000c 00000001 01000007 00010000',
  },
  { frame: { type: 'ping', id: 2 }, bytes: '80030006 00000004 00000002' },
  {
    frame: { type: 'goAway', lastStreamId: 9, status: 0 },
    bytes: '80030007 00000008 00000009 00000000',
  },
  {
    frame: { type: 'headers', streamId: 3, isFin: true, block },
    bytes: '80030008 01000009 00000003 626c6f636b',
  },
  {
    frame: { type: 'windowUpdate', streamId: 3, delta: 255 },
    bytes: '80030009 00000008 00000003 000000ff',
  },
];

function hex(bytes: Buffer): string {
  return bytes.toString('hex');
}

test('control frames have the bytes of the specification', () => {
  for (const { frame, bytes } of goldens) {
    assert.equal(hex(encodeControl(frame)), bytes.replaceAll(' ', ''), frame.type);
    assert.deepEqual([...new FrameReader().read(encodeControl(frame))], [frame]);
  }
  assert.equal(hex(encodeDataHead(7, 300, true)), '000000070100012c');
});

const anyFrame: fc.Arbitrary<Frame> = fc.oneof(
  fc.constantFrom(...goldens.map(({ frame }) => frame)),
  fc.record({
    type: fc.constant('data' as const),
    streamId: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
    isFin: fc.boolean(),
    data: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
  }),
);

function encode(frame: Frame): Buffer {
  if (frame.type !== 'data') return encodeControl(frame);
  const { streamId, data, isFin } = frame;
  return Buffer.concat([encodeDataHead(streamId, data.length, isFin), data]);
}

/** Pieces of the same data frame put together again. */
function joinPieces(frames: readonly Frame[]): string[] {
  const texts: string[] = [];
  for (const frame of frames) {
    if (frame.type !== 'data') texts.push(JSON.stringify(frame));
    else for (const byte of frame.data) texts.push(`${frame.streamId}:${byte}`);
    if (frame.type === 'data' && frame.isFin) texts.push(`${frame.streamId}:fin`);
  }
  return texts;
}

test('frames are the same however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(anyFrame, { maxLength: 12 }),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1 }),
      (frames, cuts) => {
        const bytes = Buffer.concat(frames.map(encode));
        const reader = new FrameReader();
        const read: Frame[] = [];
        for (let at = 0, turn = 0; at < bytes.length; turn++) {
          const size = cuts[turn % cuts.length] as number;
          read.push(...reader.read(bytes.subarray(at, at + size)));
          at += size;
        }
        assert.deepEqual(joinPieces(read), joinPieces(frames));
      },
    ),
    { numRuns: 200 },
  );
});

test('frames that are no SPDY/3 are refused', () => {
  const read = (text: string): Frame[] => [...new FrameReader().read(Buffer.from(text, 'hex'))];
  assert.throws(() => read('800200060000000400000001'), { code: 'SpdyProtocol' });
  assert.throws(() => read('800300030000000400000001'), /too short/);
  assert.throws(() => read('80030001ffffffff'), /control frame of 16777215 bytes/);
  assert.throws(() => read('000000000000000100'), /stream 0/);
  assert.deepEqual(read('8003000a00000001ff'), [], 'unknown types are skipped');
});

test('the dictionary is the one whose checksum is in every zlib head', () => {
  assert.equal(headerDictionary.length, 1423);
  const packed = new HeaderEncoder().encode({ streamType: 'error' });
  assert.equal(hex(packed.subarray(0, 6)), '78bbe3c6a7c2');
  assert.equal(hex(packed.subarray(-5)), '000000ffff', 'Go needs a flush to hand out the set');
  const plain = inflateSync(packed, {
    dictionary: headerDictionary,
    finishFlush: constants.Z_SYNC_FLUSH,
  });
  assert.equal(plain.toString('latin1'), '\0\0\0\x01\0\0\0\nstreamtype\0\0\0\x05error');
});

const headerSet = fc.dictionary(
  fc.string({ unit: fc.constantFrom('a', 'b', 'x', '-'), minLength: 1, maxLength: 12 }),
  fc.string({ maxLength: 40 }).filter((text) => !text.includes('\0')),
  { maxKeys: 8 },
);

test('header sets of one direction come out as they went in', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(headerSet, { maxLength: 5 }), async (sets) => {
      const encoder = new HeaderEncoder();
      const decoder = new HeaderDecoder();
      for (const set of sets) {
        assert.deepEqual({ ...(await decoder.decode(encoder.encode(set))) }, { ...set });
      }
      decoder.close();
    }),
    { numRuns: 50 },
  );
});

/** What a compressor makes of `plain`, up to a border of bytes. */
async function pack(deflate: Deflate, plain: Buffer): Promise<Buffer> {
  deflate.write(plain);
  await new Promise<void>((resolve) => deflate.flush(constants.Z_SYNC_FLUSH, resolve));
  const parts: Buffer[] = [];
  for (let part = deflate.read() as Buffer | null; part !== null;) {
    parts.push(part);
    part = deflate.read() as Buffer | null;
  }
  return Buffer.concat(parts);
}

test('blocks of a real compressor are read, each building on those before', async () => {
  const deflate = createDeflate({ dictionary: headerDictionary, level: 9 });
  const decoder = new HeaderDecoder();
  for (const type of ['error', 'stdin', 'stdout']) {
    const head = '\0\0\0\x01\0\0\0\nstreamtype\0\0\0';
    const plain = Buffer.from(`${head}${String.fromCharCode(type.length)}${type}`, 'latin1');
    const headers = await decoder.decode(await pack(deflate, plain));
    assert.equal(headers['streamtype'], type);
  }
  deflate.destroy();
  decoder.close();
});

test('headers that unpack to too much end the decoder', async () => {
  const decoder = new HeaderDecoder();
  const deflate = createDeflate({ dictionary: headerDictionary });
  const packed = await pack(deflate, Buffer.alloc(1024 * 1024));
  await assert.rejects(decoder.decode(packed), /headers of more than/);
  deflate.destroy();
});
