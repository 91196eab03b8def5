/** A defect to build into the core: texts of `src/`, each there once, and what replaces them. */
export interface Mutation {
  readonly name: string;
  readonly edits: readonly { readonly file: string; readonly from: string; readonly to: string }[];
}

function mutation(name: string, file: string, from: string, to: string): Mutation {
  return { name, edits: [{ file: `src/${file}`, from, to }] };
}

/** The simulation is worth what it finds: it has to find each of these. */
export const MUTATIONS: readonly Mutation[] = [
  {
    name: 'reads are remembered when their reply has come, not before they are sent',
    edits: [
      {
        file: 'src/client/tracked.ts',
        from: 'if (tracker.remember(key, this.id)) this.#delivery.added(flight, index);',
        to: '',
      },
      {
        file: 'src/client/tracked.ts',
        from: 'if (tracker.rememberAt(chunk, from, to, this.id)) this.#delivery.added(flight, 0);',
        to: '',
      },
      {
        file: 'src/client/tracked.ts',
        from: 'for (const key of this.#delivery.land(flight, refused)) tracker.forget(key, this.id);',
        to: `for (const key of this.#delivery.land(flight, refused)) tracker.forget(key, this.id);
             for (const key of flight.readKeys) tracker.remember(key, this.id);`,
      },
    ],
  },
  mutation(
    'no invalidation of a key waits for a reply',
    'client/delivery.ts',
    'const flight = this.#aloft.last(key) ?? this.#gate;\n    if (flight === undefined) this.#deliver(key);',
    'const flight = this.#gate;\n    if (flight === undefined) this.#deliver(key);',
  ),
  mutation(
    'an invalidation waits for the first request that names its key, not the last',
    'client/aloft.ts',
    'if (aloft !== undefined) aloft.last = flight;',
    'if (aloft !== undefined) aloft.staleTo += 0;',
  ),
  mutation(
    'of requests that departed before anybody asked which keys they name only the last is known',
    'client/aloft.ts',
    'for (let flight: Flight | undefined = this.#oldest; flight; flight = flight.behind) {',
    'for (let flight: Flight | undefined = this.#newest; flight; flight = flight.behind) {',
  ),
  mutation(
    'no invalidation is repeated behind a reply that came late',
    'client/delivery.ts',
    'for (const key of stale) this.#deliver(key);',
    '',
  ),
  mutation(
    'an invalidation waits for its reply for ever',
    'client/delivery.ts',
    'if (parked.due > now) break;',
    'break;',
  ),
  mutation(
    'a flush does not wait for what is in flight',
    'client/delivery.ts',
    'changedAll(now: number, wait: number): void {\n    const flight = this.#last ?? this.#gate;',
    'changedAll(now: number, wait: number): void {\n    const flight = this.#gate;',
  ),
  mutation(
    'a batch of BCAST does not wait for what is in flight',
    'client/delivery.ts',
    'if (last === undefined) this.#deliver(keys);\n    else this.#park(keys, last, now + wait + PARK_MS);',
    'this.#deliver(keys);',
  ),
  mutation(
    'nobody is told when sight is lost',
    'tracking/tracker.ts',
    "this.#ownWrites.clear();\n    this.changedAll('blind');",
    'this.#ownWrites.clear();',
  ),
  mutation(
    'nobody is told when sight is back',
    'tracking/tracker.ts',
    "this.#blind = false;\n    this.#sight += 1;\n    this.changedAll('blind');",
    'this.#blind = false;',
  ),
  mutation(
    'a read in a blind spell may be cached',
    'client/tracked.ts',
    'if (!refused && tracker.wasBlindSince(flight.sight)) this.distrust(flight.readKeys);',
    '',
  ),
  mutation(
    'the notification of an own write uses up the read behind that write',
    'tracking/tracker.ts',
    'if (this.#readers.has(id)) this.#table.remember(key, id);',
    '',
  ),
  mutation(
    'one refused read makes the table forget what another has read',
    'client/aloft.ts',
    'if (aloft.added && !aloft.executed) {',
    'if (aloft.added && (refused || !aloft.executed)) {',
  ),
  mutation(
    'a CLIENT TRACKING that upstream refused stays in force',
    'client/tracked.ts',
    'if (!this.#doubts.isOpen) this.#believe();',
    '',
  ),
  mutation(
    'what is read untracked by something that is refused may be cached',
    'client/doubts.ts',
    'if (refused && this.#state !== undefined) this.#state.refused = true;',
    '',
  ),
  mutation(
    'pushes leave before upstream has let CLIENT TRACKING pass',
    'client/tracked.ts',
    'if (!this.#confirmed.on) return;',
    'if (!this.#confirmed.on && !this.#wanted.on) return;',
  ),
  mutation(
    'what EXEC reads is not remembered',
    'client/multi.ts',
    'if (reads) readKeys.push(key);',
    '',
  ),
  mutation(
    'NOLOOP keeps the writes of others from a client',
    'client/tracked.ts',
    '(own && this.#enrolment.isNoloop)',
    'this.#enrolment.isNoloop',
  ),
  mutation(
    'what comes behind an attributed write passes for the same client',
    'invalidation/attribution.ts',
    'this.forget(word);',
    '',
  ),
  mutation(
    'the reply to an attributed write is another element of EXEC',
    'client/noloop.ts',
    '[SWALLOW, PASS, SWALLOW]',
    '[PASS, SWALLOW, SWALLOW]',
  ),
  mutation(
    'a push is written into a reply',
    'client/outlet.ts',
    'if (!isBackedUp && !replies.midReply) {',
    'if (!isBackedUp) {',
  ),
  mutation(
    'a key that makes room in the table is not told',
    'tracking/tracker.ts',
    "this.changed(key, 'table_full');",
    'this.#table.take(key);',
  ),
  mutation(
    'nobody drops what a client that has left read for it',
    'client/orphans.ts',
    'const isTold = !isToldItself && parts.tellOrphans;',
    'const isTold = redirect !== 0 && isToldItself && parts.tellOrphans;',
  ),
  mutation(
    'a client that has gone back to RESP2 gets pushes',
    'client/outlet.ts',
    'return protocol === 3 || subscriptions.active;',
    'return protocol > 0 || subscriptions.active;',
  ),
  mutation(
    'behind RESET the database of the URL is not selected again',
    'client/introduction.ts',
    "if (this.#session.parts.db !== 0) this.#db = 'due';\n    this.begin();",
    'this.begin();',
  ),
  mutation(
    'a client of BCAST is told of keys that it may not read',
    'client/nameable.ts',
    "return access === 'all' ? keys : keys.filter(access);",
    'return keys;',
  ),
  mutation(
    'CLIENT REPLY OFF is not heeded',
    'client/replies.ts',
    'this.silent = this.muted || (',
    'this.silent = (',
  ),
  mutation(
    'CLIENT REPLY SKIP takes a reply that is not for the client',
    'client/replies.ts',
    'this.skipNext && owed.hidden !== true);\n      if (owed.hidden !== true) this.skipNext = false;',
    'this.skipNext);\n      this.skipNext = false;',
  ),
  mutation(
    'a client that sends no more is not waited for',
    'client/session.ts',
    'const idle = ledger.size === 0 && ',
    'const idle = ',
  ),
  mutation(
    'the watch takes one silent command of others for nothing',
    'upstream/signs.ts',
    'if (others > known.others) {',
    'if (others > known.others + 1) {',
  ),
  mutation(
    'a fence does not ask whether all has been heard',
    'client/fences.ts',
    'this.#raised.push(raised);\n    if (!this.#isAsking) this.#ask();',
    'this.#settle([raised]);',
  ),
  mutation(
    'a fence does not wait for what is behind replies',
    'client/fences.ts',
    '(listener, run) => listener.whenReleased(run),',
    '(_listener, run) => run(),',
  ),
  mutation(
    'fences whose question is lost with the source are forgotten',
    'client/fences.ts',
    'else this.#stranded.push(...round);',
    '',
  ),
  mutation(
    'a client whose replies are held is told behind them only',
    'client/outlet.ts',
    'if (!hold.isHolding) return false;',
    'if (hold !== undefined) return false;',
  ),
  mutation(
    'a transaction that writes is not fenced',
    'client/multi.ts',
    'this.fences = multi.fences;',
    'this.fences = false;',
  ),
  mutation(
    'an attributed write is not fenced',
    'client/noloop.ts',
    'new AttributedExec(write, flight.fences)',
    'new AttributedExec(write, false)',
  ),
  mutation(
    'what waits for a slow client is not sent when it has read',
    'client/outlet.ts',
    'if (!this.#parts.replies.midReply) this.betweenReplies();\n    else if',
    'if',
  ),
  mutation(
    'of what is held only the last is followed by what was sent before it',
    'client/hold.ts',
    'if (from < this.#count)',
    'if (from < 0)',
  ),
  mutation(
    'an invalidation overtakes the held reply to HELLO',
    'client/conversation.ts',
    'if (protocol !== this.#protocol) this.#client.seal?.();',
    '',
  ),
  mutation(
    'an invalidation overtakes the held reply to CLIENT TRACKING',
    'client/tracking-parts.ts',
    'this.hold.seal();',
    '',
  ),
  mutation(
    'everything that waits for a slow client is forgotten',
    'client/backlog.ts',
    'if (all) return [undefined];',
    'if (all) return [];',
  ),
];
