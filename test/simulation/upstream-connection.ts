import type { LaneOracle } from './oracle.ts';
import type { Protocol } from './store.ts';
import { type Pipe, RequestSplitter } from './wire.ts';

/** A connection as the model of Redis knows it. */
export class UpstreamConnection {
  readonly id: number;
  /** Where replies go. */
  readonly out: Pipe;
  /** Is told what is executed, and what is replied. */
  readonly oracle: LaneOracle;
  readonly splitter = new RequestSplitter();
  /** Requests that have come and wait for an earlier one. */
  readonly queue: (readonly string[])[] = [];
  readonly watched = new Map<string, number>();
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
  blocked: { readonly key: string; readonly until: number } | undefined;

  constructor(id: number, out: Pipe, oracle: LaneOracle, isLetIn: boolean) {
    this.id = id;
    this.out = out;
    this.oracle = oracle;
    this.isLetIn = isLetIn;
  }

  reset(): void {
    this.protocol = 2;
    this.multi = undefined;
    this.watched.clear();
  }
}
