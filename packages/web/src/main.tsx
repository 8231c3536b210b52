import { render } from 'preact';
import { App } from './app.tsx';
import { enter } from './node.ts';
import './styles/tokens.css';
import './styles/base.css';
import './styles/layout.css';
import './theme.ts';
import { keepPage } from './pwa/register.ts';
import { listenForShortcuts } from './shell/shortcuts.ts';

render(<App />, document.getElementById('app')!);
listenForShortcuts();
void enter();
keepPage();
