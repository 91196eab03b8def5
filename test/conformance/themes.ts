import { BCAST } from './rows/bcast.ts';
import { BROKEN } from './rows/broken.ts';
import { CACHING } from './rows/caching.ts';
import { CACHING_MULTI } from './rows/caching-multi.ts';
import { CONNECTION } from './rows/connection.ts';
import { FLUSHES } from './rows/flushes.ts';
import { HELLO } from './rows/hello.ts';
import { LIBRARIES } from './rows/libraries.ts';
import { MODES } from './rows/modes.ts';
import { NOLOOP } from './rows/noloop.ts';
import { NOLOOP_READS } from './rows/noloop-reads.ts';
import { NOLOOP_TRANSACTIONS } from './rows/noloop-transactions.ts';
import { OPTIONS } from './rows/options.ts';
import { ORDER } from './rows/order.ts';
import { PREFIXES } from './rows/prefixes.ts';
import { PUBSUB } from './rows/pubsub.ts';
import { QUEUED } from './rows/queued.ts';
import { READS } from './rows/reads.ts';
import { REDIRECT } from './rows/redirect.ts';
import { REDIRECT_ENDS } from './rows/redirect-ends.ts';
import { REPLIES } from './rows/replies.ts';
import { REPORTS } from './rows/reports.ts';
import { RIGHTS } from './rows/rights.ts';
import { SCRIPTS } from './rows/scripts.ts';
import { STATES } from './rows/states.ts';
import { SWITCHING } from './rows/switching.ts';
import { TRANSACTIONS } from './rows/transactions.ts';
import type { Theme } from './scenario.ts';

/** All that is shown to be as on Redis, in the order of `docs/compatibility.md`. */
export const THEMES: readonly Theme[] = [
  { title: 'CLIENT TRACKING ON and OFF', rows: SWITCHING },
  { title: 'The options of CLIENT TRACKING', rows: OPTIONS },
  { title: 'CLIENT TRACKINGINFO and CLIENT GETREDIR', rows: STATES },
  { title: 'OPTIN, OPTOUT and CLIENT CACHING', rows: [...CACHING, ...CACHING_MULTI] },
  { title: 'PREFIX', rows: PREFIXES },
  { title: 'BCAST', rows: BCAST },
  { title: 'NOLOOP', rows: [...NOLOOP, ...NOLOOP_TRANSACTIONS, ...NOLOOP_READS] },
  { title: 'REDIRECT', rows: [...REDIRECT, ...REDIRECT_ENDS] },
  { title: 'REDIRECT to a client that is gone', rows: BROKEN },
  { title: 'What is tracked', rows: READS },
  { title: 'Scripts and functions', rows: SCRIPTS },
  { title: 'What invalidates, and when', rows: ORDER },
  { title: 'FLUSHALL and FLUSHDB', rows: FLUSHES },
  { title: 'MULTI, EXEC, DISCARD, WATCH', rows: TRANSACTIONS },
  { title: 'Tracking commands in transactions', rows: QUEUED },
  { title: 'RESET, SELECT, AUTH, CLIENT REPLY', rows: CONNECTION },
  { title: 'RESET, HELLO, CLIENT REPLY and QUIT in the modes of tracking', rows: MODES },
  { title: 'HELLO', rows: HELLO },
  { title: 'INFO, CLIENT LIST, CLIENT INFO, tracking-table-max-keys', rows: REPORTS },
  { title: 'Rights', rows: RIGHTS },
  { title: "Client libraries' sequences", rows: LIBRARIES },
  { title: 'How many replies', rows: REPLIES },
  { title: 'Publish and subscribe', rows: PUBSUB },
];
