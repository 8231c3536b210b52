import { effect, signal } from '@preact/signals';

export const themes = ['system', 'light', 'dark', 'contrast'] as const;
export type Theme = (typeof themes)[number];

const storageKey = 'tequio.theme';
const stored = localStorage.getItem(storageKey) as Theme | null;

export const theme = signal<Theme>(stored !== null && themes.includes(stored) ? stored : 'system');
const isDark = mediaSignal('(prefers-color-scheme: dark)');
const wantsContrast = mediaSignal('(prefers-contrast: more)');

effect(() => {
  const chosen = theme.value;
  const system = wantsContrast.value ? 'contrast' : isDark.value ? 'dark' : 'light';
  document.documentElement.dataset['theme'] = chosen === 'system' ? system : chosen;
  localStorage.setItem(storageKey, chosen);
});

function mediaSignal(query: string): { readonly value: boolean } {
  const media = matchMedia(query);
  const matches = signal(media.matches);
  media.addEventListener('change', (event) => {
    matches.value = event.matches;
  });
  return matches;
}
