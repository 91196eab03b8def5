/** What is otherwise in front of an upstream that speaks RESP2 only. */
export interface OldDifference {
  /** A row that is not played there, by its name; else a sentence. */
  readonly name: string;
  /** Why, in a clause. */
  readonly reason: string;
}

const OTHER_CONNECTION = 'a RESP3 client hears messages by a connection of their own';

/** All other rows are played there as everywhere. */
export const OLD_DIFFERENCES: readonly OldDifference[] = [
  {
    name: 'an own PUBLISH to an own channel: on 7.0 the message stands before its reply',
    reason: `${OTHER_CONNECTION}, and may come a moment later`,
  },
  {
    name: 'SUBSCRIBE and its kind are refused inside MULTI',
    reason: `${OTHER_CONNECTION}, which no transaction reaches`,
  },
  {
    name: 'HELLO 2 is refused to a RESP3 client as long as it is subscribed',
    reason: `${OTHER_CONNECTION}, and its own could not be kept from answering`,
  },
  {
    name: 'SUBSCRIBE is refused to a RESP3 client that has subscribed as another user',
    reason: 'the connection that listens cannot change its user; UNSUBSCRIBE ends it',
  },
  {
    name: 'CLIENT LIST shows the connection that listens beside the one that asks',
    reason: `they are two; the latter is kept from being idle for upstream's \`timeout\``,
  },
  {
    name: 'RESET keeps the user where upstream does not know RESET',
    reason: 'no other command takes a login back',
  },
];

/** @returns whether a row is played in front of such an upstream */
export function isPlayedOnOld(name: string): boolean {
  return !OLD_DIFFERENCES.some((difference) => difference.name === name);
}
