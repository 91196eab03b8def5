import type { LaneOracle } from './oracle.ts';
import type { Protocol, Store } from './store.ts';
import { RequestSplitter, type TextPipe } from './wire.ts';

/** A connection as the model of Redis knows it. */
export class UpstreamConnection {
  readonly id: number;
  /** Where replies go. */
  readonly out: TextPipe;
  /** Is told what is executed, and what is replied. */
  readonly oracle: LaneOracle;
  readonly splitter = new RequestSplitter();
  /** Requests that have come and wait for an earlier one. */
  readonly queue: (readonly string[])[] = [];
  /** Keys that WATCH was told, and how they were then. */
  readonly watched: { readonly store: Store; readonly key: string; readonly version: number }[] =
    [];
  /** Commands that its user may not use. */
  readonly forbidden = new Set<string>();
  protocol: Protocol = 2;
  isLetIn: boolean;
  isOpen = true;
  /** What waits for EXEC; undefined outside of MULTI. */
  multi: (readonly string[])[] | undefined;
  /** What EXEC would run has been refused in part. */
  isSpoilt = false;
  /** What a pop waits for, and until when, in milliseconds of the clock. */
  blocked: { readonly store: Store; readonly key: string; readonly until: number } | undefined;
  /** The database that is selected. */
  store: Store;

  constructor(id: number, out: TextPipe, oracle: LaneOracle, isLetIn: boolean, store: Store) {
    this.id = id;
    this.out = out;
    this.oracle = oracle;
    this.isLetIn = isLetIn;
    this.store = store;
  }

  watch(key: string): void {
    this.watched.push({ store: this.store, key, version: this.store.version(key) });
  }

  /** Whether a key has changed since it was watched. */
  get isDisturbed(): boolean {
    return this.watched.some(({ store, key, version }) => store.version(key) !== version);
  }

  reset(): void {
    this.protocol = 2;
    this.multi = undefined;
    this.watched.length = 0;
  }
}
