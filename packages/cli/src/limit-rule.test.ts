import assert from 'node:assert/strict';
import { test } from 'node:test';
import { completeLimitRule, tryParseLimitRule } from './limit-rule.ts';

test('a rule has days, a time from and to, and one limit or two', () => {
  const cases: readonly (readonly [string, readonly number[], number, number, unknown, unknown])[] = [
    ['mon-fri 8:00-18:00 down=500K up=100K', [1, 2, 3, 4, 5], 480, 1080, 512_000, 102_400],
    ['sat,sun 0-24:00 up=none', [0, 6], 0, 0, undefined, null],
    ['22:30-6 down=1MB', [0, 1, 2, 3, 4, 5, 6], 1350, 360, 1_000_000, undefined],
    ['  FRI-Mon   9:05-9:06 UP=1k ', [0, 1, 5, 6], 545, 546, undefined, 1024],
    ['sun 1:00-2:00 up=0 down=off', [0], 60, 120, null, null],
  ];
  for (const [text, days, fromMinute, toMinute, down, up] of cases)
    assert.deepEqual(tryParseLimitRule(text), { days, fromMinute, toMinute, down, up }, text);
});

test('what is no rule is refused', () => {
  for (const text of [
    '',
    'mon',
    'mon-fri',
    'mon-fri 8:00-18:00',
    '8:00 down=1M',
    '8:00-9:00-10:00 down=1M',
    '8:60-9:00 down=1M',
    '24:00-9:00 down=1M',
    '8:00-24:01 down=1M',
    'moon 8:00-9:00 down=1M',
    'mon-tue-wed 8:00-9:00 down=1M',
    ', 8:00-9:00 down=1M',
    '8:00-9:00 down=much',
    '8:00-9:00 down=1M down=2M',
    '8:00-9:00 down=1M sideways=2M',
  ])
    assert.equal(tryParseLimitRule(text), null, text);
});

test('a direction that is not named keeps its usual limit', () => {
  const rule = tryParseLimitRule('8-9 down=1K')!;
  const { down, up } = completeLimitRule(rule, { down: 7, up: 8 });
  assert.deepEqual([down, up], [1024, 8]);
  assert.equal(completeLimitRule(rule, { down: 7, up: null }).up, null);
});
