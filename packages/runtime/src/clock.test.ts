import { testClock } from '@tequio/kernel/compliance/clock';
import { untilReal } from '@tequio/kernel/compliance/clock-real';
import { createClock } from './clock.ts';

testClock('runtime clock', () => ({ clock: createClock(), until: untilReal }));
