import { go, route } from '../route.ts';
import { chooseAll } from '../torrents/choice.ts';
import { dialog, openDialog } from './dialogs.ts';
import { addSomething } from './drop-target.ts';

/** Keys that work everywhere on the page, unless somebody is typing. */
export function listenForShortcuts(): void {
  addEventListener('keydown', (event) => {
    if (event.defaultPrevented) return;
    const isPlain = !event.ctrlKey && !event.metaKey && !event.altKey;
    const isTyping = (event.target as HTMLElement).matches('input, textarea, select, [contenteditable]');
    if ((event.ctrlKey || event.metaKey) && event.key === 'k') openDialog('palette');
    else if (dialog.value !== null || isTyping) return;
    else if (event.ctrlKey && event.key === 'a' && route.value.screen === 'torrents') chooseAll();
    else if (isPlain && event.key === 'a') addSomething();
    else if (isPlain && event.key === '?') openDialog('keys');
    else if (isPlain && event.key === '/') search();
    else return;
    event.preventDefault();
  });
}

function search(): void {
  if (route.value.screen !== 'torrents' || route.value.id !== null) go('torrents');
  setTimeout(() => document.querySelector<HTMLInputElement>('#search')?.focus());
}
