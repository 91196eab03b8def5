/** What CLIENT TRACKING has set, as its client believes. */
export interface ClientMode {
  readonly on: boolean;
  readonly optin: boolean;
  readonly optout: boolean;
  readonly bcast: boolean;
  readonly noloop: boolean;
  readonly prefixes: readonly string[];
  /** The id of the connection that is told; 0: this one. */
  readonly redirect: number;
}

export const OFF: ClientMode = {
  on: false,
  optin: false,
  optout: false,
  bcast: false,
  noloop: false,
  prefixes: [],
  redirect: 0,
};

/** @returns what holds when `words`, a CLIENT TRACKING, was answered with OK */
export function modeAfter(before: ClientMode, words: readonly string[]): ClientMode {
  if (words[2] === 'OFF') return OFF;
  const options = words.slice(3);
  const added: string[] = [];
  let redirect = 0;
  for (const [index, option] of options.entries()) {
    if (option === 'PREFIX') added.push(options[index + 1] ?? '');
    if (option === 'REDIRECT') redirect = Number(options[index + 1]);
  }
  const bcast = options.includes('BCAST');
  if (bcast && added.length === 0) added.push('');
  return {
    on: true,
    optin: options.includes('OPTIN'),
    optout: options.includes('OPTOUT'),
    bcast,
    noloop: options.includes('NOLOOP'),
    prefixes: [...before.prefixes, ...added],
    redirect,
  };
}
