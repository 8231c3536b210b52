import type { PeerPlace } from '@tequio/api';
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { usePolled } from '../detail/polled.ts';
import { node } from '../node.ts';
import { Fret } from '../shell/icon.tsx';
import { theme } from '../theme.ts';
import { countryName } from '../words/country.ts';
import { Flag } from '../words/flag.tsx';
import { formatRate } from '../words/format.ts';
import { say } from '../words/words.ts';
import { placeOfCountry } from './country-places.ts';
import { drawGlobe, drawLand } from './land.ts';
import { mapShape, placeOf } from './projection.ts';

/** Peers by country, for as long as somebody looks. */
export function MapScreen(): JSX.Element {
  const places = usePolled(() => node.torrents.peerPlaces(), 3000, []);
  const peerCount = places?.reduce((sum, place) => sum + place.peerCount, 0) ?? 0;
  const countryCount = places?.filter(({ country }) => country !== null).length ?? 0;
  return (
    <section class="screen stack" aria-labelledby="map-title">
      <h1 id="map-title">{say('map.title')}</h1>
      {places !== null && peerCount > 0 && <p>{say('map.text', { n: peerCount, p: countryCount })}</p>}
      <WorldMap places={places ?? []} />
      {places !== null && peerCount === 0 ? (
        <div class="row">
          <Fret />
          <p class="soft">{say('map.empty')}</p>
        </div>
      ) : (
        <PlaceTable places={places ?? []} />
      )}
    </section>
  );
}

function PlaceTable({ places }: { readonly places: readonly PeerPlace[] }): JSX.Element | null {
  if (places.length === 0) return null;
  return (
    <div class="table-holder">
      <table>
        <thead>
          <tr>
            <th>{say('peer.country')}</th>
            <th class="number">{say('col.peerCount')}</th>
            <th class="number">{say('peer.down')}</th>
            <th class="number">{say('peer.up')}</th>
          </tr>
        </thead>
        <tbody>
          {places.map(({ country, peerCount, downRate, upRate }) => (
            <tr key={country ?? ''}>
              <td>
                {country !== null && <Flag country={country} />}
                {country === null ? say('map.unknown') : countryName(country)}
              </td>
              <td class="number">{peerCount}</td>
              <td class="number down">{downRate > 0 ? formatRate(downRate) : ''}</td>
              <td class="number up">{upRate > 0 ? formatRate(upRate) : ''}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** The table below says the same, for those who do not see it. */
function WorldMap({ places }: { readonly places: readonly PeerPlace[] }): JSX.Element {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [width, setWidth] = useState(0);
  const colours = theme.value;
  useEffect(() => {
    const observer = new ResizeObserver(() => setWidth(canvas.current?.clientWidth ?? 0));
    observer.observe(canvas.current!);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    if (width > 0) draw(canvas.current!, width, places);
  }, [width, places, colours]);
  return <canvas ref={canvas} class="world-map" role="img" aria-label={say('map.title')} />;
}

function draw(canvas: HTMLCanvasElement, width: number, places: readonly PeerPlace[]): void {
  const height = Math.round(width * mapShape.height);
  canvas.width = width * devicePixelRatio;
  canvas.height = height * devicePixelRatio;
  const style = getComputedStyle(canvas);
  const colour = (name: string): string => style.getPropertyValue(name).trim();
  const paint = canvas.getContext('2d')!;
  paint.scale(devicePixelRatio, devicePixelRatio);
  const globe = drawGlobe(width);
  const land = drawLand(width);
  paint.fillStyle = colour('--sunken');
  paint.fill(globe);
  paint.save();
  paint.clip(globe);
  paint.fillStyle = colour('--land');
  paint.fill(land);
  paint.strokeStyle = colour('--line');
  paint.stroke(land);
  paint.restore();
  paint.fillStyle = colour('--accent');
  paint.strokeStyle = colour('--paper');
  for (const { country, peerCount } of places.toReversed()) {
    const place = country === null ? null : placeOfCountry(country);
    if (place === null) continue;
    const { x, y } = placeOf(place[1], place[0], width);
    // The area tells the number.
    const radius = Math.min(width / 28, (2 + 2 * Math.sqrt(peerCount)) * (0.6 + width / 2500));
    paint.globalAlpha = 0.82;
    paint.beginPath();
    paint.arc(x, y, radius, 0, 2 * Math.PI);
    paint.fill();
    paint.globalAlpha = 1;
    paint.stroke();
  }
}
