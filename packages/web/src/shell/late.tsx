import type { ComponentType, JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { say } from '../words/words.ts';

/** A part of the page that is loaded when it is first seen. @param load gives the same promise each time */
export function late<Props extends object>(
  load: () => Promise<ComponentType<Props>>,
): (props: Props) => JSX.Element {
  let known: ComponentType<Props> | null = null;
  return function Late(props: Props): JSX.Element {
    const [Part, setPart] = useState(() => known);
    const [isMissing, setMissing] = useState(false);
    useEffect(() => {
      if (known !== null) return;
      load().then(
        (part) => {
          known = part;
          setPart(() => part);
        },
        () => setMissing(true),
      );
    }, []);
    if (isMissing) return <p class="screen soft">{say('offline.part')}</p>;
    return Part === null ? <p class="screen" aria-busy="true" /> : <Part {...props} />;
  };
}
