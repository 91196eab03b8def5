import type net from 'node:net';
import { Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { Spool } from '../../src/spool.ts';

const LARGE = 'x'.repeat(40_000);

/** A spool, and what has left: a line for each system call that a socket would make. */
class Rig {
  readonly left: string[] = [];
  readonly spool: Spool;

  constructor(name = '', all: string[] = []) {
    const write = (pieces: readonly Buffer[], done: () => void) => {
      const line = name + pieces.map(String).join('+').replaceAll(LARGE, 'LARGE');
      this.left.push(line);
      all.push(line);
      done();
    };
    const socket = new Writable({
      write: (piece: Buffer, _encoding, done) => write([piece], done),
      writev: (pieces, done) =>
        write(
          pieces.map(({ chunk }) => chunk as Buffer),
          done,
        ),
    });
    this.spool = new Spool(socket as net.Socket);
  }

  write(...texts: readonly string[]): void {
    for (const text of texts) this.spool.write(Buffer.from(text));
  }
}

test('what is written in one turn leaves at its end, in one piece', async () => {
  const rig = new Rig();
  rig.write('a', 'b');
  expect([rig.left, rig.spool.unsentBytes]).toEqual([[], 2]);
  await nextTurn();
  rig.write('c');
  await nextTurn();
  expect([rig.left, rig.spool.unsentBytes]).toEqual([['ab', 'c'], 0]);
});

test('what a chunk leads to leaves when it has been read', async () => {
  const rig = new Rig();
  rig.spool.open();
  rig.write('a');
  expect(rig.left).toEqual([]);
  rig.spool.flush();
  expect(rig.left).toEqual(['a']);
  rig.spool.open();
  rig.write('b', 'c');
  rig.spool.flush();
  rig.spool.open();
  rig.spool.flush();
  await nextTurn();
  expect(rig.left).toEqual(['a', 'bc']);
});

test('what was written before the chunk came leaves before it', async () => {
  const rig = new Rig();
  rig.write('a');
  rig.spool.open();
  rig.write('b');
  rig.spool.flush();
  rig.write('c');
  await nextTurn();
  expect(rig.left).toEqual(['ab', 'c']);
});

test('much is not copied', async () => {
  const rig = new Rig();
  rig.write(LARGE, LARGE);
  expect(rig.spool.unsentBytes).toBe(80_000);
  await nextTurn();
  expect(rig.left).toEqual(['LARGE+LARGE']);
});

test('all sockets can be flushed at once, in the order in which they were written to', async () => {
  const all: string[] = [];
  const [one, other] = [new Rig('one: ', all), new Rig('other: ', all)];
  one.write('a');
  other.write('b');
  one.write('c');
  Spool.flushAll();
  expect(all).toEqual(['one: ac', 'other: b']);
  one.write('d');
  await nextTurn();
  expect(all.slice(2)).toEqual(['one: d']);
});
