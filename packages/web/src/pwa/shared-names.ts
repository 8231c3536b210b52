/** Where the service worker leaves a file that was shared with the page. */
export const sharedFolder = 'tequio-shared';
export const sharedFile = './shared-file';
