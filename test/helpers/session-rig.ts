import type { EarListener } from '../../src/client/ear.ts';
import type { Passing, SessionCounts, SessionParts } from '../../src/client/parts.ts';
import { Session } from '../../src/client/session.ts';
import { CommandTable } from '../../src/commands/table.ts';
import type { SourceKind } from '../../src/config.ts';
import { Attribution } from '../../src/invalidation/attribution.ts';
import { request } from '../../src/resp/write.ts';
import { Tracker } from '../../src/tracking/tracker.ts';
import { SilentLog } from '../../src/upstream/silent.ts';
import { COEFFICIENTS } from './coefficients.ts';

/** The commands that are known before upstream has been asked. */
export const COMMANDS = CommandTable.builtin();

/** What upstream says of a request that it has done, and of one that it has queued. */
export const OK = '+OK\r\n';
export const QUEUED = '+QUEUED\r\n';

/** The invalidation of every key, as a RESP3 client gets it. */
export const ALL = '>2\r\n$10\r\ninvalidate\r\n_\r\n';

/** @returns the invalidation of `keys`, as a RESP3 client gets it */
export function pushOf(...keys: readonly string[]): string {
  const names = keys.map((key) => `$${key.length}\r\n${key}\r\n`);
  return `>2\r\n$10\r\ninvalidate\r\n*${keys.length}\r\n${names.join('')}`;
}

/** What a test chooses of the upstream and of how its changes are learnt of. */
export interface RigOptions {
  /** `events` where none is given. */
  readonly source?: SourceKind;
  /** Of upstream, as 7.0 is 700, which is taken where none is named; undefined: it is not known. */
  readonly version?: number | undefined;
}

/** A connection that a session has opened to listen. */
export interface OpenedEar {
  readonly listener: EarListener;
  /** Time passes while it is open. */
  readonly beat: () => void;
  readonly isOpen: boolean;
}

/** Sessions in front of an upstream whose replies the test speaks. */
export class Rig {
  readonly log = new SilentLog();
  readonly counted: string[] = [];
  readonly tracker = new Tracker(0, (reason) => this.counted.push(reason), COEFFICIENTS);
  readonly attribution = new Attribution(() => 'word');
  readonly passing: Passing | undefined;
  /** Who has got something, in order. */
  readonly told: Peer[] = [];
  /** Fences that were raised, and are not passed. */
  readonly fences: (() => void)[] = [];
  #waiting: (() => void)[] = [];

  constructor(options: RigOptions = {}) {
    const { source = 'events' } = options;
    this.log.learn('version' in options ? options.version : 700);
    this.tracker.regainSight();
    this.attribution.isHeard = source !== 'writes';
    const whenAnswered = (run: () => void) => this.#waiting.push(run);
    this.passing = source === 'events' ? undefined : { alone: source === 'writes', whenAnswered };
  }

  /** Upstream answers a question of the proxy's own. */
  answers(): void {
    for (const run of this.#waiting.splice(0)) run();
  }

  /** @returns a client that has no tracking */
  client(options: { readonly fenced?: boolean } = {}): Peer {
    return new Peer(this, options.fenced ?? false);
  }

  /** @returns a client that tracks, and has read k, k2 and k3 */
  reader(...options: readonly string[]): Peer {
    const reader = this.client();
    reader.session.replies.protocol = 3;
    reader.send('CLIENT', 'TRACKING', 'ON', ...options);
    reader.hears('$-1\r\n');
    if (options.includes('NOLOOP')) reader.hears(OK, QUEUED, '*1\r\n:0\r\n');
    reader.send('MGET', 'k', 'k2', 'k3');
    reader.hears('*3\r\n$-1\r\n$-1\r\n$-1\r\n');
    reader.take();
    return reader;
  }
}

/** One client's session, between what it says and what upstream replies. */
export class Peer {
  readonly session: Session;
  readonly counts: SessionCounts = {
    forwarded: 0,
    tracked: 0,
    answered: 0,
    extraInvalidations: 0,
    unattributedWrites: 0,
    clientProtocolErrors: 0,
    collapsedInvalidations: 0,
    fencedWrites: 0,
  };
  #got = '';
  #sent = '';
  #ear: OpenedEar | undefined;

  constructor(rig: Rig, fenced: boolean) {
    const parts: SessionParts = {
      tracker: rig.tracker,
      attribution: rig.attribution,
      silentLog: rig.log,
      passing: rig.passing,
      commands: () => COMMANDS,
      advertise: (version) => version,
      upstreamVersion: () => undefined,
      nativeTracking: () => false,
      refusesTracking: () => false,
      db: 0,
      access: () => 'all',
      loadAccess: async () => {},
      forgetAccess: () => {},
      tellOrphans: true,
      now: () => 0,
      roundTrip: () => 0,
      counts: this.counts,
      speaksResp3: () => true,
      serverFacts: () => ({
        server: 'redis',
        version: '7.0.0',
        mode: 'standalone',
        role: 'master',
      }),
      newClientId: () => 1,
      fence: (passed, settled) =>
        rig.fences.push(() => {
          passed();
          settled();
        }),
      fenceWrites: fenced,
    };
    this.session = new Session(parts, {
      sendUpstream: (bytes) => {
        this.#sent += bytes.toString('latin1');
      },
      sendClient: (bytes) => {
        this.#got += bytes.toString('latin1');
        rig.told.push(this);
      },
      output: { isBackedUp: false, isSlow: false, whenDrained: () => {} },
      openEar: (listener, beat) => {
        const ear = { listener, beat, isOpen: true };
        this.#ear = ear;
        const destroy = () => {
          ear.isOpen = false;
        };
        return { write: () => {}, pause: () => {}, resume: () => {}, destroy };
      },
      withheld: () => {},
      wake: () => {},
      hasRoom: () => {},
      finished: () => {},
    });
    this.session.begin();
    this.hears(':1\r\n');
    this.take();
  }

  send(...words: readonly string[]): void {
    this.session.fromClient(request(...words));
  }

  /** Upstream replies. */
  hears(...replies: readonly string[]): void {
    this.session.fromUpstream(Buffer.from(replies.join(''), 'latin1'));
  }

  /** @returns what the client has got since this was last asked */
  take(): string {
    const got = this.#got;
    this.#got = '';
    return got;
  }

  /** The connection on which it listens, where that is another one: the last that was opened. */
  get ear(): OpenedEar {
    if (this.#ear === undefined) throw new Error('it does not listen on another connection');
    return this.#ear;
  }

  /** All that was sent upstream. */
  get sent(): string {
    return this.#sent;
  }
}
