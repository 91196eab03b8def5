import fc from 'fast-check';
import RedisParser from 'redis-parser';
import { describe, expect, test } from 'vitest';
import {
  aggregateOf,
  cut,
  decodeReply,
  encodeReply,
  type Reply,
  replyOf,
} from '../../helpers/resp.ts';
import { bytesOf, scanFrames } from '../../helpers/scan.ts';

const byte = fc.integer({ min: 0, max: 255 }).map((value) => String.fromCharCode(value));
const text = fc.string({ unit: byte, maxLength: 12 });
const line = text.map((value) => value.replace(/[\r\n]/g, '.'));
const word = fc.string({ unit: fc.constantFrom('a', 'B', '0', ' ', '-', '$'), maxLength: 6 });
const nulls = fc.constantFrom(replyOf('$', null), aggregateOf('*', null));

/** @returns replies of every type, nested up to `depth` levels */
function resp3(depth: number): fc.Arbitrary<Reply> {
  const lines = fc.tuple(fc.constantFrom(...'+-:_,#('), line);
  const bodies = fc.tuple(fc.constantFrom('$', '='), text);
  const leaf = fc.oneof(
    fc.oneof(lines, bodies).map(([type, value]) => replyOf(type, value)),
    nulls,
  );
  if (depth === 0) return leaf;
  const items = itemsOf(depth - 1);
  const pairs = pairsOf(depth - 1);
  const aggregates = fc.tuple(fc.constantFrom('*', '~'), items);
  const value = fc.oneof(
    leaf,
    aggregates.map(([type, list]) => aggregateOf(type, list)),
    pairs.map((list) => aggregateOf('%', list)),
  );
  const attributes = fc.oneof({ weight: 8, arbitrary: fc.constant([]) }, fc.tuple(pairs));
  return fc.tuple(value, attributes).map(([reply, list]) => ({ ...reply, attributes: list }));
}

/** @returns an array's elements, here and there with a push before one, which is no element */
function itemsOf(depth: number): fc.Arbitrary<Reply[]> {
  const push = fc.array(resp3(0), { maxLength: 3 }).map((items) => [aggregateOf('>', items)]);
  const before = fc.oneof({ weight: 8, arbitrary: fc.constant([]) }, push);
  const item = fc.tuple(before, resp3(depth)).map(([pushes, reply]) => [...pushes, reply]);
  return fc.array(item, { maxLength: 4 }).map((items) => items.flat());
}

function pairsOf(depth: number): fc.Arbitrary<Reply[]> {
  const pair = fc.tuple(resp3(depth), resp3(depth));
  return fc.array(pair, { maxLength: 3 }).map((pairs) => pairs.flat());
}

/** @returns replies that RESP2 has, nested up to `depth` levels */
function resp2(depth: number): fc.Arbitrary<Reply> {
  const leaf = fc.oneof(
    fc.tuple(fc.constantFrom('+', '-'), word).map(([type, value]) => replyOf(type, value)),
    fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map((n) => replyOf(':', String(n))),
    text.map((value) => replyOf('$', value)),
    nulls,
  );
  if (depth === 0) return leaf;
  const items = fc.array(resp2(depth - 1), { maxLength: 4 });
  return fc.oneof(
    leaf,
    items.map((list) => aggregateOf('*', list)),
  );
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 });

/** @returns index just past each frame, by the slow decoder */
function slowEnds(bytes: Buffer): number[] {
  const ends: number[] = [];
  for (let at = 0; at < bytes.length; ) {
    at = decodeReply(bytes, at)?.end ?? bytes.length + 1;
    ends.push(at);
  }
  return ends;
}

/** What redis-parser makes of the bytes, as text. */
function parsed(pieces: readonly Buffer[]): string[] {
  const replies: string[] = [];
  const parser = new RedisParser({
    returnReply: (reply: unknown) => replies.push(shown(reply)),
    returnError: (error: Error) => replies.push(shown(error)),
    returnBuffers: true,
    stringNumbers: true,
  });
  for (const piece of pieces) parser.execute(piece);
  return replies;
}

function shown(reply: unknown): string {
  if (Array.isArray(reply)) return `[${reply.map(shown).join(',')}]`;
  if (reply instanceof Error) return `-${reply.message}`;
  if (Buffer.isBuffer(reply)) return JSON.stringify(reply.toString('latin1'));
  return String(reply);
}

function shownTree(reply: Reply): string {
  if (reply.items !== null) return `[${reply.items.map(shownTree).join(',')}]`;
  if (reply.text === null) return 'null';
  if (reply.type === '-') return `-${reply.text}`;
  return reply.type === ':' ? reply.text : JSON.stringify(reply.text);
}

describe('random replies at random cuts', () => {
  test('end where the slow decoder says', () => {
    fc.assert(
      fc.property(
        fc.array(resp3(3), { minLength: 1, maxLength: 4 }),
        sizes,
        (replies, pieceSizes) => {
          const bytes = Buffer.concat(replies.map(encodeReply));
          const ends = slowEnds(bytes);
          expect(ends).toHaveLength(replies.length);
          expect(decodeReply(bytes)?.reply).toEqual(replies[0]);
          const scanned = { ends, midFrame: false, code: undefined };
          expect(scanFrames(cut(bytes, pieceSizes))).toEqual(scanned);
          expect(scanFrames([bytes])).toEqual(scanned);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('of RESP2 are as many as redis-parser finds, at the same places', () => {
    fc.assert(
      fc.property(
        fc.array(resp2(3), { minLength: 1, maxLength: 4 }),
        sizes,
        (replies, pieceSizes) => {
          const bytes = Buffer.concat(replies.map(encodeReply));
          expect(parsed(cut(bytes, pieceSizes))).toEqual(replies.map(shownTree));
          const { ends } = scanFrames(cut(bytes, pieceSizes));
          expect(ends).toHaveLength(replies.length);
          const frames = ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
          expect(frames.flatMap((frame) => parsed([frame]))).toEqual(replies.map(shownTree));
        },
      ),
      { numRuns: 100 },
    );
  });

  test('and garbage end, or throw a known code, alike at every cut', () => {
    const CODES = ['FRAME_BAD_TYPE', 'FRAME_BAD_LENGTH', 'FRAME_NO_CRLF', 'FRAME_TOO_LARGE'];
    const piece = fc.constantFrom(
      ...'+-:$*_,#(=~%>|!01259\r\n\0a'.split(''),
      '\r\n',
      '\r\n',
      '\r\n',
    );
    const garbage = fc.array(piece, { maxLength: 60 }).map((parts) => bytesOf(parts.join('')));
    fc.assert(
      fc.property(garbage, sizes, (bytes, pieceSizes) => {
        const whole = scanFrames([bytes]);
        if (whole.code !== undefined) expect(CODES).toContain(whole.code);
        const cutUp = scanFrames(cut(bytes, pieceSizes));
        expect({ ends: cutUp.ends, code: cutUp.code }).toEqual({
          ends: whole.ends,
          code: whole.code,
        });
      }),
      { numRuns: 400 },
    );
  });
});
