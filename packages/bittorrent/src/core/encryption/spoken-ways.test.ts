import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SpokenWays, spokenWaysLimits } from './spoken-ways.ts';

test('plain first; who falls silent is tried encrypted at once, and what worked stays', () => {
  const ways = new SpokenWays('plain');
  assert.equal(ways.wayTo('a'), 'plain');
  ways.markUnderstood('a');
  assert.equal(ways.count, 0, 'the usual case costs no memory');
  assert.ok(ways.handleSilentEnd('a'));
  assert.equal(ways.wayTo('a'), 'encrypted');
  ways.markUnderstood('a');
  ways.markUnderstood('a');
  assert.equal(ways.wayTo('a'), 'encrypted');
  assert.equal(ways.wayTo('b'), 'plain');
});

test('who is silent either way is not dialled twice at every try, but by the other way each time', () => {
  const ways = new SpokenWays('plain');
  assert.ok(ways.handleSilentEnd('a'));
  const tried: string[] = [];
  for (let dial = 0; dial < 4; dial++) {
    assert.ok(!ways.handleSilentEnd('a'));
    tried.push(ways.wayTo('a'));
  }
  assert.deepEqual(tried, ['plain', 'encrypted', 'plain', 'encrypted']);
  ways.markUnderstood('a');
  assert.equal(ways.wayTo('a'), 'encrypted');
  assert.ok(ways.handleSilentEnd('a'), 'once it has been understood there is a trial again');
});

test('who was reached encrypted and is not any more is tried plain', () => {
  const ways = new SpokenWays('plain');
  ways.handleSilentEnd('a');
  ways.markUnderstood('a');
  assert.ok(ways.handleSilentEnd('a'));
  assert.equal(ways.wayTo('a'), 'plain');
  ways.markUnderstood('a');
  assert.equal(ways.count, 0);
  ways.handleSilentEnd('b');
  ways.markUnderstood('b');
  ways.handleSilentEnd('b');
  assert.ok(!ways.handleSilentEnd('b'));
});

test('a flood of endpoints that fall silent costs bounded memory', () => {
  const ways = new SpokenWays('plain');
  for (let i = 0; i < 2 * spokenWaysLimits.endpointCountMax; i++) ways.handleSilentEnd(`host ${i}`);
  assert.equal(ways.count, spokenWaysLimits.endpointCountMax);
  assert.equal(ways.wayTo('host 0'), 'plain');
});

test('encrypted first, where that is preferred: all is the other way round', () => {
  const ways = new SpokenWays('encrypted');
  assert.equal(ways.wayTo('a'), 'encrypted');
  ways.markUnderstood('a');
  assert.equal(ways.count, 0);
  assert.ok(ways.handleSilentEnd('a'));
  assert.equal(ways.wayTo('a'), 'plain');
  ways.markUnderstood('a');
  assert.equal(ways.wayTo('a'), 'plain', 'what worked stays');
  assert.ok(ways.handleSilentEnd('a'));
  assert.equal(ways.wayTo('a'), 'encrypted');
  ways.markUnderstood('a');
  assert.equal(ways.count, 0);
});
