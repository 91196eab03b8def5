import { describe, expect, test } from 'vitest';
import { keyOf } from '../../../src/key.ts';
import { AccessRules, accessOf, type KeyAccess } from '../../../src/upstream/access.ts';

/** @returns those of `keys` that may be read; 'all' where nothing is forbidden */
function readable(access: KeyAccess | undefined, ...keys: readonly string[]) {
  if (access === 'all' || access === undefined) return access;
  return keys.filter((key) => access(keyOf(key)));
}

const ALL = ['a', 'a1', 'b', 'b1', 'c1', ''];

const ROWS: readonly { name: string; reply: unknown; may: 'all' | readonly string[] }[] = [
  { name: 'a server without ACL', reply: undefined, may: 'all' },
  { name: 'nobody', reply: null, may: [] },
  {
    name: '6.x: every key by flag',
    reply: ['flags', ['on', 'allkeys'], 'keys', ['*']],
    may: 'all',
  },
  { name: '6.x: every key by flag alone', reply: ['flags', ['allkeys'], 'keys', []], may: 'all' },
  { name: '6.x: every key by pattern', reply: ['flags', ['on'], 'keys', ['a*', '*']], may: 'all' },
  { name: '6.x: patterns', reply: ['flags', ['on'], 'keys', ['a*', 'b']], may: ['a', 'a1', 'b'] },
  { name: '6.x: no key', reply: ['flags', ['on'], 'keys', []], may: [] },
  { name: '7.0: every key', reply: ['flags', ['on'], 'keys', '~*', 'selectors', []], may: 'all' },
  { name: '7.0: patterns', reply: ['keys', '~a* ~b', 'selectors', []], may: ['a', 'a1', 'b'] },
  {
    name: '7.0: to read, to write, and both',
    reply: ['keys', '%R~a* %W~b* %RW~c*', 'selectors', []],
    may: ['a', 'a1', 'b', 'b1', 'c1'],
  },
  { name: '7.0: every key to read', reply: ['keys', '%R~*'], may: 'all' },
  { name: '7.0: no key', reply: ['keys', '', 'selectors', []], may: [] },
  {
    name: '7.0: a selector',
    reply: ['keys', '~a', 'selectors', [['commands', '-@all +get', 'keys', '~b*', 'channels', '']]],
    may: ['a', 'b', 'b1'],
  },
  {
    name: '7.0: a selector of every key',
    reply: ['keys', '', 'selectors', [['commands', '+@all', 'keys', '~*', 'channels', '&*']]],
    may: 'all',
  },
  {
    name: '7.0: a selector that allows no command',
    reply: ['keys', '~a', 'selectors', [['commands', '-@all', 'keys', '~b*', 'channels', '']]],
    may: ['a'],
  },
  { name: 'a pattern of every kind', reply: ['keys', '~[ab]? %R~\\c*'], may: ['a1', 'b1', 'c1'] },
  { name: 'what is no rule', reply: ['keys', 'allkeys resetkeys'], may: [] },
];

describe('what ACL GETUSER says', () => {
  test.for(ROWS)('$name', ({ reply, may }) => {
    expect(readable(accessOf(reply), ...ALL)).toEqual(may);
  });
});

describe('rules', () => {
  /** Rules with a clock at 5000 ms, and an upstream that answers when told to. */
  function rulesWith(ask: (user: string) => Promise<unknown>) {
    const clock = { ms: 5_000 };
    return { clock, rules: new AccessRules(ask, () => clock.ms) };
  }

  test('are not known before they are loaded, and per user then', async () => {
    const { rules } = rulesWith(async (user) => ['keys', `~${user}*`]);
    expect(rules.of('a')).toBeUndefined();
    await rules.load('a');
    expect(readable(rules.of('a'), ...ALL)).toEqual(['a', 'a1']);
    expect(rules.of('b')).toBeUndefined();
  });

  test('count for a second', async () => {
    const { rules, clock } = rulesWith(async () => undefined);
    await rules.load('a');
    clock.ms += 1_000;
    expect(rules.of('a')).toBe('all');
    clock.ms += 1;
    expect(rules.of('a')).toBeUndefined();
    await rules.load('a');
    expect(rules.of('a')).toBe('all');
  });

  test('are asked for once, however many wait for them', async () => {
    let asked = 0;
    const { rules } = rulesWith(async () => {
      asked += 1;
      return undefined;
    });
    await Promise.all([rules.load('a'), rules.load('a'), rules.load('b')]);
    expect(asked).toBe(2);
    await rules.load('a');
    expect(asked).toBe(3);
  });

  test('can be forgotten', async () => {
    const { rules } = rulesWith(async () => undefined);
    await rules.load('a');
    rules.forget();
    expect(rules.of('a')).toBeUndefined();
  });

  test('forgotten while they are asked for stay unknown', async () => {
    let answer: ((reply: unknown) => void) | undefined;
    const { rules } = rulesWith(() => new Promise((resolve) => (answer = resolve)));
    const loading = rules.load('a');
    rules.forget();
    answer?.(undefined);
    await loading;
    expect(rules.of('a')).toBeUndefined();
  });

  test('are unknown while upstream is away, also if they were known', async () => {
    let away = false;
    const { rules } = rulesWith(async () => {
      if (away) throw new Error('away');
      return undefined;
    });
    await rules.load('a');
    away = true;
    await rules.load('a');
    expect(rules.of('a')).toBeUndefined();
    away = false;
    await rules.load('a');
    expect(rules.of('a')).toBe('all');
  });
});
