import type { SettingsPatch } from '@tequio/api';
import type { JSX } from 'preact';
import { useEffect, useId, useState } from 'preact/hooks';
import { node } from '../node.ts';
import { attempt } from '../notice.ts';
import { registerMagnet } from '../pwa/handed-over.ts';
import { LookSettings } from '../settings/page-settings.tsx';
import { Dialog } from '../shell/dialog.tsx';
import { closeDialog } from '../shell/dialogs.ts';
import { Fret, Icon } from '../shell/icon.tsx';
import { formatBytes } from '../words/format.ts';
import { say } from '../words/words.ts';
import { type GuideStart, markGuided, readGuideStart } from './first-run.ts';

/** What the user has answered so far. */
type Answers = {
  readonly folder: string;
  /** KiB a second; empty: no limit. */
  readonly down: string;
  readonly up: string;
  readonly dht: boolean;
  readonly portMapping: boolean;
  readonly lsd: boolean;
};

type StepProps = {
  readonly start: GuideStart;
  readonly answers: Answers;
  readonly answer: (part: Partial<Answers>) => void;
};

const steps = [FolderStep, LimitsStep, NetworksStep];

/** The first steps: folder, limits, networks. Each has a good answer already. */
export function GuideDialog(): JSX.Element {
  const [at, setAt] = useState(0);
  const [start, setStart] = useState<GuideStart | null>(null);
  const [answers, setAnswers] = useState<Answers | null>(null);
  useEffect(() => {
    // Whatever closes it: it was seen.
    markGuided();
    void attempt(async () => {
      const read = await readGuideStart();
      setStart(read);
      setAnswers(answersOf(read));
    });
  }, []);
  const go = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    if (at < steps.length - 1) setAt(at + 1);
    else if (start !== null && answers !== null && (await attempt(() => keep(start, answers)))) closeDialog();
  };
  const Step = steps[at]!;
  return (
    <Dialog title={say('guide.title')}>
      {at === 0 && (
        <>
          <Fret />
          <p>{say('guide.text')}</p>
          <LookSettings />
        </>
      )}
      {start !== null && answers !== null && (
        <form class="stack" onSubmit={go}>
          <Step start={start} answers={answers} answer={(part) => setAnswers({ ...answers, ...part })} />
          <div class="row spread">
            <span class="soft" role="status">
              {say('guide.step', { at: at + 1, n: steps.length })}
            </span>
            <div class="row">
              <button
                type="button"
                class="button quiet"
                onClick={() => (at === 0 ? closeDialog() : setAt(at - 1))}
              >
                {say(at === 0 ? 'guide.skip' : 'guide.back')}
              </button>
              <button type="submit" class="button primary">
                {say(at === steps.length - 1 ? 'guide.done' : 'guide.next')}
              </button>
            </div>
          </div>
        </form>
      )}
    </Dialog>
  );
}

/** After the last key, before the disk is asked. */
const typedMs = 250;

function FolderStep({ start, answers, answer }: StepProps): JSX.Element {
  const [freeBytes, setFreeBytes] = useState<number | null>(null);
  const hintId = useId();
  const { folder } = answers;
  useEffect(() => {
    let isOver = false;
    const look = (): Promise<void> =>
      node.status.freeBytes(folder.trim()).then(
        (bytes) => void (isOver || setFreeBytes(bytes)),
        () => void (isOver || setFreeBytes(null)),
      );
    const timer = setTimeout(look, typedMs);
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [folder]);
  return (
    <>
      <h3>{say('guide.folder.title')}</h3>
      <div class="field">
        <label>
          <span class="label">{say('add.folder')}</span>
          <input
            class="input"
            value={folder}
            required
            disabled={start.isFixed('folders.download')}
            pattern={'(/|[A-Za-z]:[\\\\\\/]|\\\\\\\\).*'}
            title={say('guide.folder.wrong')}
            aria-describedby={hintId}
            onInput={(event) => answer({ folder: event.currentTarget.value })}
          />
        </label>
        <small id={hintId} class="hint" role="status">
          {freeBytes === null
            ? say('guide.folder.unknown')
            : say('guide.folder.free', { size: formatBytes(freeBytes) })}
        </small>
      </div>
    </>
  );
}

function LimitsStep({ start, answers, answer }: StepProps): JSX.Element {
  const limit = (part: 'down' | 'up', key: string, name: string): JSX.Element => (
    <label class="field">
      <span>{name}</span>
      <input
        class="input"
        type="number"
        min="1"
        step="1"
        placeholder={say('detail.noLimit')}
        value={answers[part]}
        disabled={start.isFixed(key)}
        onInput={(event) => answer({ [part]: event.currentTarget.value })}
      />
    </label>
  );
  return (
    <>
      <h3>{say('guide.limits.title')}</h3>
      <p class="soft">{say('guide.limits.text')}</p>
      <div class="two">
        {limit('down', 'bittorrent.limitDown', say('detail.limitDown'))}
        {limit('up', 'bittorrent.limitUp', say('detail.limitUp'))}
      </div>
      <p class="soft">{say('guide.limits.slow')}</p>
    </>
  );
}

const networkSwitches = ['dht', 'portMapping', 'lsd'] as const;

function NetworksStep({ start, answers, answer }: StepProps): JSX.Element {
  return (
    <>
      <h3>{say('guide.networks.title')}</h3>
      <p>{say('guide.networks.bittorrent')}</p>
      {networkSwitches.some((name) => start.isFixed(`bittorrent.${name}`)) && (
        <small class="hint">{say('settings.fixed')}</small>
      )}
      {networkSwitches.map((name) => (
        <label key={name} class="check">
          <input
            type="checkbox"
            checked={answers[name]}
            disabled={start.isFixed(`bittorrent.${name}`)}
            onChange={(event) => answer({ [name]: event.currentTarget.checked })}
          />
          <span>{say(`guide.networks.${name}`)}</span>
        </label>
      ))}
      <div>
        <button type="button" class="button" onClick={registerMagnet}>
          <Icon name="link" />
          {say('guide.networks.magnet')}
        </button>
      </div>
    </>
  );
}

function answersOf({ folder, settings: { bittorrent } }: GuideStart): Answers {
  const kibibytes = (rate: number | null): string => (rate === null ? '' : String(Math.round(rate / 1024)));
  const { limitDown, limitUp, dht, portMapping, lsd } = bittorrent;
  return { folder, down: kibibytes(limitDown), up: kibibytes(limitUp), dht, portMapping, lsd };
}

/** The folder is said even when it is the usual one: then everybody knows that the questions were answered. */
async function keep(start: GuideStart, answers: Answers): Promise<void> {
  const rate = (text: string): number | null => (text === '' ? null : Math.round(Number(text) * 1024));
  const { folder, down, up, dht, portMapping, lsd } = answers;
  const wished = { limitDown: rate(down), limitUp: rate(up), dht, portMapping, lsd };
  const free = Object.entries(wished).filter(
    ([name, value]) =>
      !start.isFixed(`bittorrent.${name}`) &&
      value !== start.settings.bittorrent[name as keyof typeof wished],
  );
  const patch: SettingsPatch = {
    ...(start.isFixed('folders.download') ? {} : { folders: { download: folder.trim() } }),
    bittorrent: Object.fromEntries(free),
  };
  await node.settings.patch(patch);
}
