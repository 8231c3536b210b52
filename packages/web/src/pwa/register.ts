/** The page is kept by the browser, where that is allowed (https, or this machine). It works as well without. */
export function keepPage(): void {
  if (!('serviceWorker' in navigator) || import.meta.env.DEV) return;
  navigator.serviceWorker.register('./service-worker.js').catch(() => {});
}
