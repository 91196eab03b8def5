import { conformance } from '../helpers/scenario.ts';
import { CONNECTION } from './rows/connection.ts';
import { ORDER } from './rows/order.ts';
import { PUBSUB } from './rows/pubsub.ts';
import { READS } from './rows/reads.ts';
import { REPLIES } from './rows/replies.ts';
import { SWITCHING } from './rows/switching.ts';
import { TRANSACTIONS } from './rows/transactions.ts';

conformance('switching tracking on and off', SWITCHING);
conformance('what is tracked', READS);
conformance('what invalidates, and when', ORDER);
conformance('transactions', TRANSACTIONS);
conformance('the connection', CONNECTION);
conformance('how many replies', REPLIES);
conformance('pub/sub', PUBSUB);
