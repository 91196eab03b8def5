import { choices, type Random } from '../simulation/random.ts';

/** Words that servers and this program look for, and texts that might be taken for framing. */
const WORDS = [
  ...['GET', 'set', 'Client', 'MULTI', 'exec', 'subscribe', 'message', 'invalidate', 'QUEUED'],
  ...[
    '',
    'k',
    'X\0Y',
    '\r\n',
    '$3\r\nabc\r\n',
    '*1\r\n',
    '\n',
    '>3',
    'N'.repeat(64),
    'N'.repeat(65),
  ],
];

/** What a mutation puts in. */
const BITS = [
  ...'+-:_,#($=*~%>|0123459\r\n\0 a"'.split(''),
  ...['\r\n', '\r\n', '-1', '-0', '00', '01', '999999999', '4294967297', '1099511627777'],
  ...['2147483648', '9223372036854775808', '1'.repeat(17), '*1\r\n', '$1\r\n', '%1\r\n', '|1\r\n'],
  ...['>1\r\n', '*-1\r\n', '$-1\r\n', '*0\r\n', '~0\r\n', '$0\r\n\r\n', '+\r\n', ' '.repeat(70)],
];

/** The longest text of random bytes in an input. Now and then one of `LONG_BYTES` is there. */
const TEXT_MAX_BYTES = 12;
const LONG_BYTES = 300;

function textOf(random: Random): string {
  if (random.chance(0.5)) return random.pick(WORDS);
  const length = random.chance(0.01) ? LONG_BYTES : random.below(TEXT_MAX_BYTES);
  let text = '';
  for (let n = 0; n < length; n++) text += String.fromCharCode(random.below(256));
  return text;
}

/** @returns what belongs at a line's end, and seldom something that a server takes for it */
function lineEnd(random: Random): string {
  return random.chance(0.97) ? '\r\n' : `\r${String.fromCharCode(random.below(256))}`;
}

const REQUESTS_MAX_COUNT = 5;
const WORDS_MAX_COUNT = 5;

/** @returns requests of words, inline ones and empty ones, one behind the other */
export function randomRequests(random: Random): string {
  let text = '';
  for (let left = 1 + random.below(REQUESTS_MAX_COUNT); left > 0; left--) {
    if (random.chance(0.1)) text += `${textOf(random).replace(/[\0\n]/g, ' ')}\r\n`;
    else if (random.chance(0.05)) text += random.pick(['*0\r\n', '*-1\r\n', '\r\n', '*-77\r\n']);
    else text += wordsOf(random);
  }
  return text;
}

function wordsOf(random: Random): string {
  const count = 1 + random.below(WORDS_MAX_COUNT);
  let text = `*${count}${lineEnd(random)}`;
  for (let n = 0; n < count; n++) {
    const word = textOf(random);
    text += `$${word.length}${lineEnd(random)}${word}${lineEnd(random)}`;
  }
  return text;
}

const FRAMES_MAX_COUNT = 6;
const DEPTH_MAX = 3;
const ITEMS_MAX_COUNT = 4;

/** @returns replies and pushes of any type, one behind the other */
export function randomFrames(random: Random): string {
  let text = '';
  for (let left = 1 + random.below(FRAMES_MAX_COUNT); left > 0; left--) {
    text += frameOf(random, DEPTH_MAX);
  }
  return text;
}

type Shape = 'line' | 'body' | 'null' | 'list' | 'pairs' | 'push' | 'attribute';

const SHAPES = choices<Shape>([
  [5, 'line'],
  [5, 'body'],
  [1, 'null'],
  [4, 'list'],
  [1, 'pairs'],
  [1, 'push'],
  [0.5, 'attribute'],
]);

function frameOf(random: Random, depth: number): string {
  const shape = random.weighted(SHAPES);
  if (shape === 'null') return random.pick(['$-1\r\n', '*-1\r\n', '_\r\n']);
  if (shape === 'body') {
    const text = textOf(random);
    return `${random.pick(['$', '$', '='])}${text.length}\r\n${text}\r\n`;
  }
  if (shape === 'line' || depth === 0) {
    return `${random.pick([...'+-:_,#('])}${textOf(random).replace(/[\r\n]/g, '.')}\r\n`;
  }
  const count = random.below(ITEMS_MAX_COUNT);
  if (shape === 'pairs') return `%${count}\r\n${itemsOf(random, count * 2, depth)}`;
  if (shape === 'push') return `>${count}\r\n${itemsOf(random, count, depth)}`;
  if (shape === 'list') {
    return `${random.pick(['*', '*', '~'])}${count}\r\n${itemsOf(random, count, depth)}`;
  }
  return `|1\r\n${itemsOf(random, 2, depth)}${frameOf(random, depth - 1)}`;
}

function itemsOf(random: Random, count: number, depth: number): string {
  let text = '';
  for (let n = 0; n < count; n++) text += frameOf(random, depth - 1);
  return text;
}

const GARBAGE_MAX_COUNT = 40;

/** @returns bits of framing in no order */
export function randomGarbage(random: Random): string {
  let text = '';
  for (let left = random.below(GARBAGE_MAX_COUNT); left > 0; left--) text += random.pick(BITS);
  return text;
}

const MUTATIONS_MAX_COUNT = 3;

/** @returns the text with a few bytes changed, put in, left out or doubled, or its end cut off */
export function mutated(random: Random, text: string): string {
  let result = text;
  for (let left = 1 + random.below(MUTATIONS_MAX_COUNT); left > 0; left--) {
    const at = random.below(result.length + 1);
    const to = Math.min(result.length, at + 1 + random.below(6));
    const before = result.slice(0, at);
    switch (random.below(6)) {
      case 0:
        result = before + String.fromCharCode(random.below(256)) + result.slice(at + 1);
        break;
      case 1:
        result = before + random.pick(BITS) + result.slice(at);
        break;
      case 2:
        result = before + random.pick(BITS) + result.slice(to);
        break;
      case 3:
        result = before + result.slice(to);
        break;
      case 4:
        result = result.slice(0, to) + result.slice(at);
        break;
      default:
        result = before;
    }
  }
  return result;
}

/** @returns how long the pieces are into which an input is cut, in bytes, over and over */
export function randomSizes(random: Random): readonly number[] {
  if (random.chance(0.2)) return [1];
  const sizes: number[] = [];
  for (let left = 1 + random.below(8); left > 0; left--) sizes.push(1 + random.below(40));
  return sizes;
}
