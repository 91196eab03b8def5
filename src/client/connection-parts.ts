import type { Logger } from '../logger.ts';
import type { Endpoint } from '../upstream/endpoint.ts';
import type { Connection } from './connection.ts';
import type { OutputLimit } from './output.ts';
import type { SessionCounts, SessionParts } from './parts.ts';

/** Numbers that only grow. */
export interface ConnectionCounts extends SessionCounts {
  bytesIn: number;
  bytesOut: number;
  lanesOutOfSync: number;
  refusedUpstream: number;
  idleClients: number;
  upstreamProtocolErrors: number;
  upstreamErrorsLane: number;
  slowClientsHard: number;
  slowClientsSoft: number;
  slowClientsPipeline: number;
  slowClientsFence: number;
}

/** What connections need from the proxy: the same for all of them. */
export interface ConnectionParts extends SessionParts {
  readonly endpoint: Endpoint;
  readonly logger: Logger;
  readonly counts: ConnectionCounts;
  readonly outputLimit: OutputLimit;
  /** How often a lane is used that upstream must not end as idle, in milliseconds. */
  readonly beatMs: () => number;
  /** Invalidations of this connection wait for their time. */
  readonly wake: (connection: Connection) => void;
  /** Something waits to be told to this connection, for which no time is set. */
  readonly withheld: (connection: Connection) => void;
  /** Told once. */
  readonly closed: (connection: Connection) => void;
}
