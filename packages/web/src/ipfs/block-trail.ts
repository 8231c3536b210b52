/** The way through blocks, as it stands in the address: the first step as it was asked for, then link after link. */

export type TrailStep = { readonly path: string; readonly name: string };

/** No name of a file, and no CID, can hold it. */
const between = '\n';
const stepsMax = 100;

export function readTrail(place: string): readonly TrailStep[] {
  if (place === '') return [];
  return place.split(between).map((step, index) => {
    const at = index === 0 ? -1 : step.indexOf(' ');
    return at < 0 ? { path: step, name: '' } : { path: step.slice(0, at), name: step.slice(at + 1) };
  });
}

/** The address of one step more, or of the first so many. */
export function trailText(steps: readonly TrailStep[]): string {
  const kept = steps.length <= stepsMax ? steps : [steps[0]!, ...steps.slice(steps.length - stepsMax + 1)];
  return kept
    .map(({ path, name }, index) => (index === 0 ? path : `${path} ${name.replaceAll(between, ' ')}`))
    .join(between);
}
