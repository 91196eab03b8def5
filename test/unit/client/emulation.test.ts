import { describe, expect, test } from 'vitest';
import { type Peer, QUEUED, Rig } from '../../helpers/session-rig.ts';

/** What keeps a lane from being idle. */
const EMPTY = '*0\r\n';

const NULL = '$-1\r\n';

/** @returns a client of RESP3, of an upstream without it, that has subscribed to `ch` */
function subscriber(): Peer {
  const peer = new Rig().client();
  peer.send('HELLO', '3');
  peer.hears("-ERR unknown command 'HELLO'\r\n");
  peer.hears('+PONG\r\n');
  peer.send('SUBSCRIBE', 'ch');
  peer.hears(NULL);
  const confirmed = '*3\r\n$9\r\nsubscribe\r\n$2\r\nch\r\n:1\r\n';
  peer.ear.listener.received(Buffer.from(confirmed));
  expect(peer.take()).toMatch(/>3\r\n\$9\r\nsubscribe\r\n\$2\r\nch\r\n:1\r\n$/);
  return peer;
}

/** @returns what a beat has sent upstream */
function sentByBeat(peer: Peer): string {
  const before = peer.sent.length;
  peer.ear.beat();
  return peer.sent.slice(before);
}

describe('the lane of a client that listens on another', () => {
  test('is used now and then, and nothing is owed for it', () => {
    const peer = subscriber();
    expect(sentByBeat(peer)).toBe(EMPTY);
    expect(sentByBeat(peer)).toBe(EMPTY);
    peer.send('GET', 'k');
    peer.hears('$1\r\nv\r\n');
    expect(peer.take()).toBe('$1\r\nv\r\n');
  });

  test('is not while a reply is owed', () => {
    const peer = subscriber();
    peer.send('BLPOP', 'l', '0');
    expect(sentByBeat(peer)).toBe('');
    peer.hears('*-1\r\n');
    expect(sentByBeat(peer)).toBe(EMPTY);
  });

  test('is not in the midst of a request', () => {
    const peer = subscriber();
    peer.session.fromClient(Buffer.from('*2\r\n$3\r\nGET\r\n$2\r\nk'));
    expect(peer.sent).toMatch(/\$2\r\nk$/);
    expect(sentByBeat(peer)).toBe('');
    peer.session.fromClient(Buffer.from('k\r\n'));
    peer.hears(NULL);
    expect(sentByBeat(peer)).toBe(EMPTY);
  });

  test('is before a request of which nothing has been sent', () => {
    const peer = subscriber();
    peer.session.fromClient(Buffer.from('*2\r\n$3\r\nG'));
    expect(sentByBeat(peer)).toBe(EMPTY);
    peer.session.fromClient(Buffer.from('ET\r\n$1\r\nk\r\n'));
    expect(peer.sent.endsWith(`${EMPTY}*2\r\n$3\r\nGET\r\n$1\r\nk\r\n`)).toBe(true);
  });

  test('is inside MULTI, where it is no element of what EXEC returns', () => {
    const peer = subscriber();
    peer.send('MULTI');
    peer.hears('+OK\r\n');
    peer.send('ECHO', 'x');
    peer.hears(QUEUED);
    expect(sentByBeat(peer)).toBe(EMPTY);
    peer.take();
    peer.send('EXEC');
    peer.hears('*1\r\n$1\r\nx\r\n');
    expect(peer.take()).toBe('*1\r\n$1\r\nx\r\n');
  });

  test('is not for a replica, whose bytes go as they are', () => {
    const peer = subscriber();
    peer.send('SYNC');
    peer.hears('$2\r\nxx');
    peer.session.fromClient(Buffer.from('*3\r\n$8\r\nREPL'));
    expect(sentByBeat(peer)).toBe('');
  });

  test('is its own affair when the last subscription has ended', () => {
    const peer = subscriber();
    peer.send('UNSUBSCRIBE', 'ch');
    peer.hears(NULL);
    expect(peer.ear.isOpen).toBe(true);
    const ended = '*3\r\n$11\r\nunsubscribe\r\n$2\r\nch\r\n:0\r\n';
    peer.ear.listener.received(Buffer.from(ended));
    expect(peer.ear.isOpen).toBe(false);
  });
});
