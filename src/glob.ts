/**
 * Matches as Redis matches patterns of keys, channels and settings: `*`, `?`, `[a-z]`, `[^x]`, and
 * a backslash before a character that is meant as itself.
 *
 * Takes time by the product of the lengths at worst, whatever the pattern: of several stars only the
 * last is ever tried again.
 *
 * @param pattern latin1, as is `text`
 */
export function globMatches(pattern: string, text: string): boolean {
  let at = 0;
  let index = 0;
  let starAt = -1; // where to go on in the pattern when the last star takes one character more
  let starIndex = 0; // how far that star has come in the text
  while (index < text.length) {
    if (pattern[at] === '*') {
      starAt = ++at;
      starIndex = index;
      continue;
    }
    const step = at < pattern.length ? matchOne(pattern, at, text[index] as string) : 0;
    if (step > 0) {
      at += step;
      index += 1;
    } else if (starAt !== -1) {
      at = starAt;
      index = ++starIndex;
    } else {
      return false;
    }
  }
  while (pattern[at] === '*') at += 1;
  return at === pattern.length;
}

/** @returns how much of the pattern at `at` stands for `char`; 0: it does not */
function matchOne(pattern: string, at: number, char: string): number {
  const first = pattern[at] as string;
  if (first === '?') return 1;
  if (first === '\\' && at + 1 < pattern.length) return pattern[at + 1] === char ? 2 : 0;
  if (first !== '[') return first === char ? 1 : 0;
  return matchClass(pattern, at, char);
}

/** A class runs to the first `]`; one that is not closed runs to the end of the pattern. */
function matchClass(pattern: string, from: number, char: string): number {
  const negated = pattern[from + 1] === '^';
  let at = from + (negated ? 2 : 1);
  let inside = false;
  while (at < pattern.length && pattern[at] !== ']') {
    if (pattern[at] === '\\' && at + 1 < pattern.length) {
      at += 1;
      inside ||= pattern[at] === char;
      at += 1;
    } else if (pattern[at + 1] === '-' && at + 2 < pattern.length) {
      const [low, high] = [pattern[at] as string, pattern[at + 2] as string].sort();
      inside ||= char >= (low as string) && char <= (high as string);
      at += 3;
    } else {
      inside ||= pattern[at] === char;
      at += 1;
    }
  }
  return inside === negated ? 0 : Math.min(at + 1, pattern.length) - from;
}
