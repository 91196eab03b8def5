/** What every script does with arguments that it does not understand. */

/**
 * Ends the program with exit code 2 and a word on what it takes, where `error` comes from its
 * arguments; else throws it again.
 *
 * @param {unknown} error
 * @param {string} usage the script's flags, with what stands for their values
 * @returns {never}
 */
export function explainArguments(error, usage) {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (!code.startsWith('ERR_PARSE_ARGS_')) throw error;
  const [reason] = error.message.split('. ');
  console.error(`${reason}. What there is: ${usage}`);
  process.exit(2);
}
