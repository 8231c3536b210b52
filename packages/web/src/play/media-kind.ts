/** What a browser might play, by the name; whether this one does, it says when it tries. */
const kinds: Readonly<Record<string, 'audio' | 'video'>> = {
  aac: 'audio',
  flac: 'audio',
  m4a: 'audio',
  m4b: 'audio',
  mp3: 'audio',
  oga: 'audio',
  ogg: 'audio',
  opus: 'audio',
  wav: 'audio',
  weba: 'audio',
  avi: 'video',
  m4v: 'video',
  mkv: 'video',
  mov: 'video',
  mp4: 'video',
  mpeg: 'video',
  mpg: 'video',
  ogv: 'video',
  ts: 'video',
  webm: 'video',
  wmv: 'video',
};

/** Null: nothing to be played. */
export function mediaKindOf(path: string): 'audio' | 'video' | null {
  const extension = /\.([a-z0-9]{2,4})$/i.exec(path)?.[1]?.toLowerCase() ?? '';
  return Object.hasOwn(kinds, extension) ? kinds[extension]! : null;
}
