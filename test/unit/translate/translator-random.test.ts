import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ProxyError } from '../../../src/errors.ts';
import {
  type Aggregate,
  array,
  BOOLEAN,
  bare,
  DOUBLE,
  entries,
  fixed,
  list,
  map,
  PLAIN,
  PUSH,
  pairs,
  record,
  type Shape,
  set,
  tuple,
  VERBATIM,
} from '../../../src/translate/shape.ts';
import { translated } from '../../../src/translate/whole.ts';
import {
  aggregateOf,
  cut,
  decodeReply,
  encodeReply,
  type Reply,
  replyOf,
} from '../../helpers/resp.ts';
import { feed } from '../../helpers/translate.ts';

const text = fc.constantFrom(
  '',
  'a',
  'b',
  '1',
  '-inf',
  '2.5',
  '1e-7',
  '$-1\r\n',
  'x'.repeat(70),
  '7'.repeat(64),
  '7'.repeat(65),
);
const leaf = fc.oneof(
  text.map((value) => replyOf('$', value)),
  fc.constantFrom(':0', ':1', ':7', '+OK', '+', '-ERR x', '$', '*').map(special),
);

function special(line: string): Reply {
  if (line === '*') return aggregateOf('*', null);
  return line === '$' ? replyOf('$', null) : replyOf(line.charAt(0), line.slice(1));
}

const { reply } = fc.letrec<{ reply: Reply }>((tie) => ({
  reply: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.array(tie('reply'), { maxLength: 6 }).map((items) => aggregateOf('*', items)),
  ),
}));

const { shape } = fc.letrec<{ shape: Shape }>((tie) => {
  const inner = tie('shape');
  return {
    shape: fc.oneof(
      { maxDepth: 4 },
      fc.constantFrom(PLAIN, DOUBLE, BOOLEAN, VERBATIM, PUSH, fixed('+x\r\n'), fixed('')),
      fc.oneof(inner.map(array), inner.map(set), inner.map(list), inner.map(map), inner.map(pairs)),
      inner.map(entries),
      fc.tuple(inner, inner).map(([a, b]) => record({ a, b })),
      fc.tuple(inner, inner).map(([a, b]) => tuple(a, b)),
      fc.tuple(inner, inner).map(([a, b]) => bare(a, b)),
    ),
  };
});

/** The same again, slow and plain: a whole reply is turned into text. */
function slow(value: Reply, wanted: Shape): string {
  const { type, text: own, items } = value;
  if (own === null && items === null) return '_\r\n';
  if (items !== null) return slowItems(items, wanted);
  if (type === '$' && own !== null) return slowBulk(own, wanted);
  if (type === ':' && wanted.kind === 'boolean' && (own === '0' || own === '1')) {
    return own === '1' ? '#t\r\n' : '#f\r\n';
  }
  return encodeReply(value).toString('latin1');
}

function slowBulk(own: string, wanted: Shape): string {
  if (
    wanted.kind === 'line' &&
    own !== '' &&
    own.length <= 64 &&
    !Number.isNaN(Number(own.replace('inf', 'Infinity')))
  ) {
    return `${wanted.mark}${own}\r\n`;
  }
  if (wanted.kind === 'verbatim') return `=${own.length + 4}\r\ntxt:${own}\r\n`;
  if (wanted.kind === 'fixed') return wanted.reply;
  return `$${own.length}\r\n${own}\r\n`;
}

const HEADS = { array: '*', set: '~', push: '>', map: '%', pairs: '*', entries: '%' } as const;

function slowItems(items: readonly Reply[], wanted: Shape): string {
  const { length: count } = items;
  if (wanted.kind !== 'aggregate' || !fits(wanted.becomes, count)) {
    return `*${count}\r\n${items.map((item) => slow(item, PLAIN)).join('')}`;
  }
  const { becomes } = wanted;
  if (becomes === 'entries' && items.some((item) => item.items?.length !== 2)) {
    throw new ProxyError('FRAME_BAD_TYPE', 'no entry');
  }
  const inside = items.map((item, index) => {
    const { type, text: name } = items[index - 1] ?? item;
    const isName = type === '$' && name !== null && name.length <= 64;
    const before = becomes === 'pairs' && index % 2 === 0 ? '*2\r\n' : '';
    return before + slow(item, wanted.of(index, isName ? name : ''));
  });
  if (becomes === 'nothing') return inside.join('');
  const head = becomes === 'list' ? (count === 0 ? '~' : '*') : HEADS[becomes];
  const shown = becomes === 'map' || becomes === 'pairs' ? count / 2 : count;
  return `${head}${shown}\r\n${inside.join('')}`;
}

function fits(becomes: Aggregate['becomes'], count: number): boolean {
  if (becomes === 'nothing') return count === 2;
  return (becomes !== 'map' && becomes !== 'pairs') || count % 2 === 0;
}

function outcome(run: () => string): string {
  try {
    return run();
  } catch (error) {
    if (error instanceof ProxyError) return error.code;
    throw error;
  }
}

const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });

test('any reply by any rule, cut anywhere, is what it is slowly and whole', () => {
  fc.assert(
    fc.property(reply, shape, sizes, (value, rule, cuts) => {
      const bytes = encodeReply(value);
      const wanted = outcome(() => slow(value, rule));
      expect(outcome(() => translated(bytes, rule).toString('latin1'))).toBe(wanted);
      const pieces = cut(bytes, cuts);
      const copies = Buffer.concat(pieces);
      expect(outcome(() => Buffer.concat(feed(pieces, [rule])).toString('latin1'))).toBe(wanted);
      expect(Buffer.concat(pieces)).toEqual(copies); // what was received is not written to
    }),
    { numRuns: 3_000 },
  );
});

test('replies in a row, each by its rule', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(reply, shape), { maxLength: 5 }), sizes, (rows, cuts) => {
      const wanted = outcome(() => rows.map(([value, rule]) => slow(value, rule)).join(''));
      const bytes = Buffer.concat(rows.map(([value]) => encodeReply(value)));
      const rules = rows.map(([, rule]) => rule);
      const ours = outcome(() => Buffer.concat(feed(cut(bytes, cuts), rules)).toString('latin1'));
      expect(ours).toBe(wanted);
    }),
    { numRuns: 1_000 },
  );
});

test('without a rule nothing of RESP2 but its nulls changes', () => {
  fc.assert(
    fc.property(reply, (value) => {
      const ours = translated(encodeReply(value), undefined);
      const decoded = decodeReply(ours);
      expect(decoded?.end).toBe(ours.length);
      expect(ours.toString('latin1')).toBe(slow(value, PLAIN));
    }),
    { numRuns: 500 },
  );
});
