/**
 * Loaded into every test process (`--import`): a file whose tests are not over after this long ends with a failure that
 * says what kept it. The runner's own limit is for a test, not for what a test leaves behind; the runner itself, which
 * loads this too, may take as long as it likes.
 */
const limitMs = 1_200_000;

if (process.env.NODE_TEST_CONTEXT !== undefined) {
  setTimeout(() => {
    const kept = process.getActiveResourcesInfo().join(', ');
    process.stderr.write(
      `tequio: ${process.argv[1]} is not over after ${limitMs / 60_000} minutes; it holds ${kept}.\n`,
    );
    process.exit(1);
  }, limitMs).unref();
}
