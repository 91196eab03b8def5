import { KEEP, type Owed, PASS, PASS_BLOCKING, SWALLOW } from '../../src/client/ledger.ts';
import { ReplyReader } from '../../src/client/replies.ts';
import { ProxyError } from '../../src/errors.ts';
import { pushTo } from '../helpers/pushing.ts';
import { cut } from '../helpers/resp.ts';
import type { Random } from '../simulation/random.ts';
import { slowArrayHeader, slowFrame } from './reference.ts';

/** What becomes of a reply. `exec` reads an array element by element. */
type Fate = 'pass' | 'blocking' | 'kept' | 'errors' | 'swallow' | 'replace' | 'vanish';

interface Awaited {
  readonly fate: Fate;
  /** Given for an EXEC: the fates of the elements of its array. Those beyond are passed on. */
  readonly elements?: readonly Fate[];
}

const FATES: readonly Fate[] = [
  ...(['pass', 'pass', 'pass', 'blocking'] as const),
  ...(['kept', 'errors', 'swallow', 'replace', 'vanish'] as const),
];

const REPLACEMENT = '+in place\r\n';

/** A push of ours: no input holds its text. */
const OURS = '>1\r\n+~ours~\r\n';

function owed(over: Partial<Owed>): Owed {
  const plain = { keep: KEEP.none, drop: false, blocks: false, flushes: false };
  return { ...plain, settle: () => 'pass', ...over };
}

const ENTRIES: Readonly<Record<Fate, Owed>> = {
  pass: PASS,
  blocking: PASS_BLOCKING,
  kept: owed({ keep: KEEP.all }),
  errors: owed({ keep: KEEP.errors }),
  swallow: SWALLOW,
  replace: owed({ drop: true, settle: () => Buffer.from(REPLACEMENT) }),
  vanish: owed({ keep: KEEP.all, settle: () => 'drop' }),
};

function entryOf({ fate, elements }: Awaited): Owed {
  if (elements === undefined) return ENTRIES[fate];
  return owed({
    keep: KEEP.errors,
    opens: 'always',
    elements: elements.map((one) => ENTRIES[one]),
  });
}

/** What is to come of an input. */
interface Expected {
  /** All that whole frames bring the client, in order. */
  sent: string;
  /** Lengths of what is sent at which no reply is half sent. */
  readonly between: Set<number>;
  /** Where the frame begins that is cut or broken; the input's length where there is none. */
  at: number;
  /** How many replies have come. */
  settled: number;
  code: string | undefined;
  /** Nothing that belongs to the frame that is cut or broken may reach the client. */
  withheld: boolean;
}

/** Reads an input frame by frame, the slow way, and keeps the books on it. */
class SlowReplies {
  readonly expected: Expected = {
    sent: '',
    between: new Set([0]),
    at: 0,
    settled: 0,
    code: undefined,
    withheld: false,
  };
  readonly #text: string;
  readonly #awaited: readonly Awaited[];
  readonly #muted: boolean;
  #slot = 0;
  #slotsLeft = 0;

  constructor(text: string, awaited: readonly Awaited[], muted: boolean) {
    this.#text = text;
    this.#awaited = awaited;
    this.#muted = muted;
  }

  read(): Expected {
    const { expected } = this;
    while (expected.at < this.#text.length && this.#readOne()) {
      if (this.#slotsLeft === 0) expected.between.add(expected.sent.length);
    }
    return expected;
  }

  /** @returns whether there was a whole frame, or the header of an EXEC's array */
  #readOne(): boolean {
    const { expected } = this;
    const type = this.#text.charAt(expected.at);
    const current = type === '>' ? undefined : this.#awaited[expected.settled];
    if (type !== '>' && type !== '-' && current === undefined) {
      expected.code = 'LANE_OUT_OF_SYNC';
      return false;
    }
    if (current?.elements !== undefined && this.#slotsLeft === 0 && type === '*') {
      const header = slowArrayHeader(this.#text, expected.at);
      if (header !== undefined) {
        this.#open(header.end, header.count);
        return true;
      }
    }
    const fate = this.#fateOf(current, type);
    const frame = slowFrame(this.#text, expected.at);
    if (frame.kind !== 'whole') {
      if (frame.kind === 'broken') expected.code = frame.code;
      expected.withheld = fate !== 'pass';
      return false;
    }
    const bytes = this.#text.slice(expected.at, frame.end);
    expected.at = frame.end;
    if (fate === 'pass' || fate === 'kept') expected.sent += bytes;
    else if (fate === 'replace') expected.sent += REPLACEMENT;
    if (current !== undefined) this.#settle();
    return true;
  }

  #open(end: number, count: number): void {
    const { expected } = this;
    if (!this.#muted) expected.sent += this.#text.slice(expected.at, end);
    expected.at = end;
    this.#slot = 0;
    this.#slotsLeft = count;
    if (count === 0) expected.settled += 1;
  }

  /** A reply, or an element, is whole. */
  #settle(): void {
    if (this.#slotsLeft > 0) {
      this.#slot += 1;
      this.#slotsLeft -= 1;
    }
    if (this.#slotsLeft === 0) this.expected.settled += 1;
  }

  #fateOf(current: Awaited | undefined, type: string): 'pass' | 'kept' | 'replace' | 'vanish' {
    if (type === '>') return 'pass';
    if (this.#muted) return 'vanish';
    if (current === undefined) return 'pass';
    const { elements } = current;
    if (elements !== undefined && this.#slotsLeft === 0) return type === '-' ? 'kept' : 'pass';
    const fate = elements === undefined ? current.fate : (elements[this.#slot] ?? 'pass');
    if (fate === 'blocking') return 'pass';
    if (fate === 'errors') return type === '-' ? 'kept' : 'pass';
    return fate === 'swallow' ? 'vanish' : fate;
  }
}

const AWAITED_MAX_COUNT = 10;

function randomAwaited(random: Random): readonly Awaited[] {
  const fates = (count: number) => Array.from({ length: count }, () => random.pick(FATES));
  return fates(random.below(AWAITED_MAX_COUNT)).map((fate) =>
    random.chance(0.2) ? { fate, elements: fates(random.below(4)) } : { fate },
  );
}

/** What a reader did with an input. */
interface Outcome {
  readonly sent: string;
  readonly code: string | undefined;
  readonly ledgerSize: number;
}

/** Feeds the pieces, with a push of ours behind some of them. */
function play(
  pieces: readonly Buffer[],
  awaited: readonly Awaited[],
  { muted, random }: { readonly muted: boolean; readonly random: Random },
): Outcome {
  const sent: string[] = [];
  const reader = new ReplyReader({
    send: (bytes) => void sent.push(bytes.toString('latin1')),
    begin: () => {},
  });
  reader.protocol = 3;
  reader.muted = muted;
  for (const one of awaited) reader.ledger.push(entryOf(one));
  let code: string | undefined;
  try {
    for (const piece of pieces) {
      reader.feed(piece);
      if (random.chance(0.1)) pushTo(reader, Buffer.from(OURS));
    }
  } catch (error) {
    if (!(error instanceof ProxyError)) throw error;
    code = error.code;
  }
  return { sent: sent.join(''), code, ledgerSize: reader.ledger.size };
}

/** So much of a push may be held back until its kind is known, in bytes: not yet seen is not broken. */
const HELD_MAX_BYTES = 40;

/**
 * Gives an input to a reader of replies whose ledger holds random entries.
 *
 * @returns what is wrong with what it made of it, '' if nothing is
 */
export function checkReplies(input: string, sizes: readonly number[], random: Random): string {
  const awaited = randomAwaited(random);
  const muted = random.chance(0.1);
  const expected = new SlowReplies(input, awaited, muted).read();
  const outcome = play(cut(Buffer.from(input, 'latin1'), sizes), awaited, { muted, random });
  const told = () => JSON.stringify({ awaited, muted, expected, outcome });
  if (outcome.code !== expected.code) {
    const rest = input.slice(expected.at);
    const held = rest.startsWith('>') && rest.length < HELD_MAX_BYTES;
    const waits = held && outcome.code === undefined && expected.code === 'FRAME_TOO_LARGE';
    if (!waits) return `another end: ${told()}`;
  }
  if (outcome.ledgerSize !== awaited.length - expected.settled) return `entries: ${told()}`;
  const parts = outcome.sent.split(OURS);
  const received = parts.join('');
  const rest = received.slice(expected.sent.length);
  if (!received.startsWith(expected.sent)) return `other bytes: ${told()}`;
  if (!input.startsWith(rest, expected.at)) return `bytes of no frame: ${told()}`;
  if (expected.withheld && rest !== '') return `bytes not for the client: ${told()}`;
  let length = 0;
  for (const part of parts.slice(0, -1)) {
    length += part.length;
    if (!expected.between.has(length)) return `a push inside a reply: ${told()}`;
  }
  return '';
}
