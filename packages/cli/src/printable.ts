/**
 * Text that strangers wrote (names, comments, tracker messages), made harmless for a terminal: control characters,
 * which could move the cursor or rename the window, and the invisible ones that turn text around or hide it become
 * U+FFFD. The attacker is whoever made the torrent; the cost is one pass over a short text.
 */
export function printable(text: string): string {
  return text.replace(unsafe, '\ufffd');
}

/** C0, DEL, C1; Arabic letter mark, directional marks, embeddings and isolates; line and paragraph separators; BOM. */
const unsafe = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;
