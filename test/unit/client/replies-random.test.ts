import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  KEEP,
  type Owed,
  PASS,
  PASS_BLOCKING,
  PASS_QUEUED,
  SWALLOW,
} from '../../../src/client/ledger.ts';
import { ReplyReader } from '../../../src/client/replies.ts';
import type { Protocol } from '../../../src/resp/write.ts';
import { pushTo } from '../../helpers/pushing.ts';
import { cut, decodeReply } from '../../helpers/resp.ts';
import { bytesOf } from '../../helpers/scan.ts';

/** One request's fate. Those of EXEC are the fates of its elements. */
type Fate = 'pass' | 'blocking' | 'kept' | 'errors' | 'swallow' | 'replace' | 'vanish';

/** What happens on the connection, in order. */
type Step =
  | { readonly kind: 'reply'; readonly fate: Fate; readonly reply: string }
  | { readonly kind: 'mute' | 'unmute' | 'skip' | 'message' | 'unsubscribe' }
  | { readonly kind: 'subscribe'; readonly channels: number }
  | {
      readonly kind: 'exec';
      readonly opens: 'always' | 'slots';
      readonly elements: readonly { readonly fate: Fate; readonly reply: string }[];
    };

const REPLACEMENT = '*1\r\n$8\r\nin place\r\n';
const OK = '+OK\r\n';
const QUEUED = '+QUEUED\r\n';

function owed(over: Partial<Owed>): Owed {
  const plain = { keep: KEEP.none, drop: false, blocks: false, flushes: false };
  return { ...plain, settle: () => 'pass', ...over };
}

const FATES: Readonly<Record<Fate, Owed>> = {
  pass: PASS,
  blocking: PASS_BLOCKING,
  kept: owed({ keep: KEEP.all }),
  errors: owed({ keep: KEEP.errors }),
  swallow: SWALLOW,
  replace: owed({ drop: true, keep: KEEP.errors, settle: () => bytesOf(REPLACEMENT) }),
  vanish: owed({ keep: KEEP.all, settle: () => 'drop' }),
};

/**
 * Plays both sides of a connection: what upstream sends, the entries that wait for it, and what is
 * then to reach the client. It keeps the books the slow way, at the time of writing.
 */
class Script {
  readonly reader: ReplyReader;
  from = '';
  to = '';
  readonly #protocol: Protocol;
  #muted = false;
  #skips = false;
  #channels = 0;

  constructor(reader: ReplyReader, protocol: Protocol) {
    this.reader = reader;
    this.#protocol = protocol;
    reader.protocol = protocol;
  }

  write(step: Step): void {
    switch (step.kind) {
      case 'reply':
        this.#owe(FATES[step.fate], step.reply, shownOf(step.fate, step.reply));
        break;
      case 'mute':
      case 'unmute':
        this.#owe(
          this.#acting(() => this.#setMuted(step.kind === 'mute')),
          OK,
          '',
        );
        this.#muted = step.kind === 'mute';
        break;
      case 'skip':
        this.#owe(
          this.#acting(() => this.#setSkip()),
          OK,
          '',
        );
        this.#skips = true;
        break;
      case 'message':
        this.#say();
        break;
      case 'subscribe':
      case 'unsubscribe':
        this.#subscribe(step.kind === 'subscribe' ? step.channels : 0);
        break;
      case 'exec':
        this.#execute(step);
    }
  }

  /** A request whose reply the client gets as `shown`, unless it wants no replies. */
  #owe(entry: Owed, reply: string, shown: string): void {
    this.reader.ledger.push(entry);
    this.from += reply;
    const skipped = this.#skips && entry.hidden !== true;
    if (!this.#muted && !skipped) this.to += shown;
    if (entry.hidden !== true) this.#skips = false;
  }

  #acting(after: () => void): Owed {
    return owed({ drop: true, after });
  }

  #setMuted(muted: boolean): void {
    this.reader.muted = muted;
  }

  #setSkip(): void {
    this.reader.skipNext = true;
  }

  #frame(...rest: readonly string[]): void {
    const frame = `${this.#protocol === 3 ? '>' : '*'}3\r\n${rest.join('')}`;
    this.from += frame;
    this.to += frame;
  }

  #say(): void {
    if (this.#channels > 0) this.#frame('$7\r\nmessage\r\n', '$1\r\na\r\n', '$3\r\n\r\n:\r\n');
  }

  #subscribe(channels: number): void {
    this.#skips = false; // confirmations are sent all the same
    const confirms = channels > 0 ? 'subscribe' : 'unsubscribe';
    const framesLeft = channels > 0 ? channels : undefined;
    this.reader.ledger.push(owed({ keep: KEEP.errors, confirms, framesLeft }));
    const frames = channels > 0 ? channels : Math.max(1, this.#channels);
    for (let n = 0; n < frames; n++) {
      this.#channels = Math.max(0, this.#channels + (channels > 0 ? 1 : -1));
      this.#frame(
        `$${confirms.length}\r\n${confirms}\r\n`,
        '$1\r\na\r\n',
        `:${this.#channels}\r\n`,
      );
      if (n < frames - 1) this.#say();
    }
  }

  #execute({ opens, elements }: Step & { readonly kind: 'exec' }): void {
    const { transaction } = this.reader;
    const begin = owed({ keep: KEEP.statuses, after: () => transaction.begin() });
    this.#owe(begin, OK, OK);
    for (const { fate } of elements) this.#owe(queuedOf(fate), QUEUED, QUEUED);
    const header = `*${elements.length}\r\n`;
    const exec = owed({ keep: KEEP.errors, opens, after: () => transaction.end() });
    const shown = elements.map(({ fate, reply }) => shownOf(fate, reply));
    this.#owe(exec, header + elements.map(({ reply }) => reply).join(''), header + shown.join(''));
  }
}

/** @returns the entry for a request inside MULTI */
function queuedOf(fate: Fate): Owed {
  const entry = FATES[fate];
  return fate === 'pass' ? PASS_QUEUED : { ...entry, keep: entry.keep | KEEP.statuses };
}

/** @returns what the client gets of a reply */
function shownOf(fate: Fate, reply: string): string {
  if (fate === 'replace') return REPLACEMENT;
  return fate === 'swallow' || fate === 'vanish' ? '' : reply;
}

const byte = fc.integer({ min: 0, max: 255 }).map((value) => String.fromCharCode(value));
const text = fc.string({ unit: fc.oneof(byte, fc.constantFrom('\r', '\n', '$')), maxLength: 9 });
const lineTypes = fc.constantFrom(...'+-:_,#(');
const line = fc
  .tuple(lineTypes, text)
  .map(([type, value]) => `${type}${value.replace(/[\r\n]/g, '.')}\r\n`);
const body = fc
  .tuple(fc.constantFrom('$', '='), text)
  .map(([type, value]) => `${type}${value.length}\r\n${value}\r\n`);
const leaf = fc.oneof(line, body, fc.constantFrom('$-1\r\n', '*-1\r\n', '*0\r\n', '%0\r\n'));
const list = fc
  .tuple(fc.constantFrom('*', '~', '%'), fc.array(leaf, { minLength: 1, maxLength: 3 }))
  .map(
    ([type, items]) => `${type}${items.length}\r\n${type === '%' ? twice(items) : items.join('')}`,
  );
const nested = fc.tuple(list, leaf, list).map((items) => `*3\r\n${items.join('')}`);
const reply = fc.oneof({ weight: 4, arbitrary: leaf }, list, nested);

function twice(items: readonly string[]): string {
  return items.map((item) => item + item).join('');
}

const fates = Object.keys(FATES) as Fate[];
const answered = fc.record({ fate: fc.constantFrom(...fates), reply });
// An element can be replaced, but an array cannot lack one.
const element = fc.record({
  fate: fc.constantFrom<Fate>('pass', 'pass', 'kept', 'errors', 'replace'),
  reply: reply.filter((value) => !value.startsWith('+')),
});

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: answered.map((one): Step => ({ kind: 'reply', ...one })),
  },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom('mute', 'unmute', 'skip', 'message', 'unsubscribe')
      .map((kind): Step => ({ kind: kind as 'mute' })),
  },
  fc.integer({ min: 1, max: 3 }).map((channels): Step => ({ kind: 'subscribe', channels })),
  fc
    .record({
      opens: fc.constantFrom('always' as const, 'slots' as const),
      elements: fc.array(element, { maxLength: 4 }),
    })
    .map((exec): Step => ({ kind: 'exec', ...exec })),
);

const steps = fc.array(step, { minLength: 1, maxLength: 8 });
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 12 });
const protocols = fc.constantFrom<Protocol>(2, 3);

/** Feeds the script's bytes in pieces, and calls `between` after each. @returns what was sent */
function played(
  protocol: Protocol,
  list: readonly Step[],
  pieceSizes: readonly number[],
  between: (reader: ReplyReader) => void = () => {},
): { readonly sent: Buffer; readonly script: Script } {
  const sent: Buffer[] = [];
  const reader = new ReplyReader({ send: (bytes) => void sent.push(bytes), begin: () => {} });
  const script = new Script(reader, protocol);
  for (const one of list) script.write(one);
  script.write({ kind: 'reply', fate: 'kept', reply: '$3\r\nend\r\n' });
  for (const piece of cut(bytesOf(script.from), pieceSizes)) {
    reader.feed(piece);
    between(reader);
  }
  expect([reader.ledger.size, reader.midReply]).toEqual([0, false]);
  return { sent: Buffer.concat(sent), script };
}

describe('random replies to random requests at random cuts', () => {
  test('give the client exactly what it is to get', () => {
    fc.assert(
      fc.property(protocols, steps, sizes, (protocol, list, pieceSizes) => {
        const { sent, script } = played(protocol, list, pieceSizes);
        expect(sent.toString('latin1')).toBe(script.to);
      }),
      { numRuns: 150 },
    );
  });

  test('have pushes between them, never inside, and every one in order', () => {
    fc.assert(
      fc.property(protocols, steps, sizes, (protocol, list, pieceSizes) => {
        const pushes: string[] = [];
        const { sent, script } = played(protocol, list, pieceSizes, (reader) => {
          pushes.push(`>2\r\n$4\r\nours\r\n:${pushes.length}\r\n`);
          pushTo(reader, bytesOf(pushes.at(-1) ?? ''));
        });
        const frames = framesOf(sent);
        expect(frames.filter((frame) => pushes.includes(frame))).toEqual(pushes);
        expect(frames.filter((frame) => !pushes.includes(frame)).join('')).toBe(script.to);
      }),
      { numRuns: 150 },
    );
  });
});

function framesOf(bytes: Buffer): string[] {
  const frames: string[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = decodeReply(bytes, at)?.end ?? Number.NaN;
    frames.push(bytes.toString('latin1', at, end));
    at = end;
  }
  return frames;
}
