import type { SessionParts } from '../../src/client/parts.ts';
import type { CachingClient } from './client.ts';
import type { FenceWitness } from './fence-witness.ts';
import type { SimulatedLane } from './lane.ts';
import type { LaneOracle } from './oracle.ts';
import type { SimulatedOutput } from './output.ts';
import type { Upstream } from './redis.ts';
import type { UpstreamConnection } from './upstream-connection.ts';
import type { TextPipe } from './wire.ts';

/** What a lane is given, besides what its session needs. */
export interface LaneParts {
  readonly client: CachingClient;
  readonly upstream: Upstream;
  readonly connection: UpstreamConnection;
  readonly fromRedis: TextPipe;
  readonly oracle: LaneOracle;
  readonly output: SimulatedOutput;
  /** Is told of replies to fenced writes; undefined: nobody fences any. */
  readonly witness: FenceWitness | undefined;
  readonly session: SessionParts;
  /** Invalidations wait for their time: it is to be told when that has come. */
  readonly wake: (lane: SimulatedLane) => void;
  /** Invalidations wait for something else. */
  readonly withheld: (lane: SimulatedLane) => void;
  /** Others have waited too long for it. */
  readonly cutOff: (lane: SimulatedLane) => void;
}
