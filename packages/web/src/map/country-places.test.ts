import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placedCountries, placeOfCountry } from './country-places.ts';
import { mapShape, placeOf } from './projection.ts';

test('every place is a country that has a name, and lies on the map', () => {
  const names = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' });
  assert.ok(placedCountries.length > 240);
  assert.equal(new Set(placedCountries).size, placedCountries.length);
  for (const code of placedCountries) {
    assert.notEqual(names.of(code), undefined, code);
    const [latitude, longitude] = placeOfCountry(code)!;
    const { x, y } = placeOf(longitude, latitude, 1);
    assert.ok(x > 0 && x < 1, code);
    if (!['AQ', 'SJ', 'GL'].includes(code)) assert.ok(y > 0 && y < mapShape.height, code);
  }
  assert.equal(placeOfCountry('ZZ'), null);
});

test('the projection has the shape that its authors give: 0.52 as high as wide, and round at the sides', () => {
  assert.deepEqual(placeOf(0, 0, 1000), { x: 500, y: 245 });
  assert.ok(Math.abs(placeOf(180, 0, 1000).x - 1000) < 1e-9);
  assert.ok(Math.abs((245 - placeOf(0, 90, 1000).y) / 500 - 0.52) < 0.001);
  for (let latitude = 0; latitude < 90; latitude += 10) {
    const [here, poleward] = [placeOf(100, latitude, 1), placeOf(100, latitude + 10, 1)];
    assert.ok(poleward.x < here.x && poleward.y < here.y, `${latitude}`);
    assert.ok(Math.abs(placeOf(-100, latitude, 1).x + here.x - 1) < 1e-12, `${latitude}`);
  }
});
