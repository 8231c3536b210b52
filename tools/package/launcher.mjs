#!/usr/bin/env node
// The program as it is installed: plain JavaScript that old versions of Node.js read too, to say what is missing.
var major = Number(process.versions.node.split('.')[0]);
if (major < 24) {
  process.stderr.write(
    'tequio: this is Node.js ' +
      process.versions.node +
      ', and Tequio needs 24 or later. Install a newer one from nodejs.org.\n',
  );
  process.exit(69);
}
import('../lib/tequio.js');
