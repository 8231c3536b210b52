import type { JSX } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { AddDialog } from './add/add-dialog.tsx';
import { DropZone } from './add/drop-zone.tsx';
import { DetailScreen } from './detail/detail-screen.tsx';
import { offerGuide } from './guide/first-run.ts';
import { GuideDialog } from './guide/guide-dialog.tsx';
import { HomeScreen } from './home/home-screen.tsx';
import { LogScreen } from './log/log-screen.tsx';
import { access, enter, node } from './node.ts';
import { PlayDialog } from './play/play-dialog.tsx';
import { takeHandedOver } from './pwa/handed-over.ts';
import { route } from './route.ts';
import { dialog, dialogAbout } from './shell/dialogs.ts';
import { Frame } from './shell/frame.tsx';
import { late } from './shell/late.tsx';
import { Palette } from './shell/palette.tsx';
import { KeysDialog, PauseDialog, RemoveDialog } from './shell/small-dialogs.tsx';
import { TorrentsScreen } from './torrents/torrents-screen.tsx';
import { say } from './words/words.ts';

const SettingsScreen = late(() =>
  import('./settings/settings-screen.tsx').then((part) => part.SettingsScreen),
);
const IpfsScreen = late(() => import('./ipfs/ipfs-screen.tsx').then((part) => part.IpfsScreen));
const MapScreen = late(() => import('./map/map-screen.tsx').then((part) => part.MapScreen));

export function App(): JSX.Element {
  if (access.value === 'out') return <Login />;
  return (
    <DropZone>
      <Frame>{access.value === 'in' && <Screen />}</Frame>
      <OpenDialog />
    </DropZone>
  );
}

function Screen(): JSX.Element {
  const { screen, id, part } = route.value;
  useEffect(() => {
    takeHandedOver();
    void offerGuide();
  }, []);
  if (screen === 'torrents' && id !== null)
    return <DetailScreen key={id} id={id} part={part ?? 'overview'} />;
  if (screen === 'torrents') return <TorrentsScreen />;
  if (screen === 'settings') return <SettingsScreen />;
  if (screen === 'ipfs') return <IpfsScreen part={id ?? 'files'} place={part ?? ''} />;
  if (screen === 'map') return <MapScreen />;
  if (screen === 'log') return <LogScreen />;
  return <HomeScreen />;
}

function OpenDialog(): JSX.Element | null {
  switch (dialog.value) {
    case 'add':
      return <AddDialog />;
    case 'palette':
      return <Palette />;
    case 'pause':
      return <PauseDialog />;
    case 'keys':
      return <KeysDialog />;
    case 'remove':
      return <RemoveDialog />;
    case 'play':
      return <PlayDialog />;
    case 'guide':
      return <GuideDialog />;
    case 'part': {
      const Part = dialogAbout.value.part;
      return Part === undefined ? null : <Part />;
    }
    case null:
      return null;
  }
}

function Login(): JSX.Element {
  const [isWrong, setWrong] = useState(false);
  const login = async (event: SubmitEvent): Promise<void> => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    try {
      await node.login({ user: String(form.get('user')), password: String(form.get('password')) });
      await enter();
    } catch {
      setWrong(true);
    }
  };
  return (
    <main class="login">
      <form class="card stack" onSubmit={login}>
        <img src="./mark.svg" alt="Tequio" width="48" height="48" />
        <h1>{say('login.title')}</h1>
        <p class="soft">{say('login.text')}</p>
        <label class="field">
          <span>{say('login.user')}</span>
          <input class="input" name="user" autocomplete="username" />
        </label>
        <label class="field">
          <span>{say('login.password')}</span>
          <input class="input" name="password" type="password" autocomplete="current-password" required />
        </label>
        {isWrong && (
          <p class="bad" role="alert">
            {say('login.wrong')}
          </p>
        )}
        <button type="submit" class="button primary">
          {say('login.go')}
        </button>
      </form>
    </main>
  );
}
