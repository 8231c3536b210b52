/** Where the page is, in the address after `#`, so that any base path will do: `#/torrents/ID/files`. */
import { computed, signal } from '@preact/signals';

const hash = signal(location.hash);

addEventListener('hashchange', () => {
  hash.value = location.hash;
});

export const route = computed(() => {
  const [path = ''] = hash.value.replace(/^#\/?/, '').split('?');
  const [screen = '', id = null, part = null] = path.split('/').map(decodeURIComponent);
  return { screen: screen || 'home', id, part };
});

export function linkTo(...parts: readonly string[]): string {
  return `#/${parts.map(encodeURIComponent).join('/')}`;
}

export function go(...parts: readonly string[]): void {
  location.hash = linkTo(...parts);
}
